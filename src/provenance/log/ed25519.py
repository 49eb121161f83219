"""Make and check Ed25519 signatures: the one door to the cryptography package. Opens no file.

The package is imported where it is used: most commands sign nothing.

Source: RFC 8032 §5.1.
"""

from __future__ import annotations

KEY_BYTES = 32
"""Length of a public key, and of the seed that a private key is made from."""


def public_key_of(seed: bytes) -> bytes:
    """Return the public key, 32 bytes, of a private key given by its seed, 32 bytes."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    return Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()


def sign(seed: bytes, message: bytes) -> bytes:
    """Return the signature, 64 bytes; the same each time for the same key and message."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    return Ed25519PrivateKey.from_private_bytes(seed).sign(message)


def fits(public: bytes, signature: bytes, message: bytes) -> bool:
    """Say whether the signature is one of this message by the holder of this public key.

    One of another length than 64 bytes is not.
    """
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True
