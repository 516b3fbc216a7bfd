"""The local stack: the real template on an AWS emulator, on loopback. Nothing here is deployed."""
