"""Say what kind of answer came: a document, a wall in front of it, or word that it is elsewhere.

Pure: rules as data, over a response's head and the decoded beginning of its content.
"""
