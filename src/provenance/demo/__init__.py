"""A small fictional web on loopback, with a collection that asks for it: the stage of the demo."""
