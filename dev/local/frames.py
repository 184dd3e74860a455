"""Messages over a stream socket: four bytes of length, most significant first, then the message."""

import socket
import struct

_LENGTH = struct.Struct(">I")


def send(connection: socket.socket, message: bytes) -> None:
    """Send one message; blocks while the other side does not read."""
    connection.sendall(_LENGTH.pack(len(message)) + message)


def receive(connection: socket.socket) -> bytes | None:
    """Return the next message, or None when the other side is gone.

    Raises:
        TimeoutError: the socket has a timeout, and it passed.
    """
    prefix = _exactly(connection, _LENGTH.size)
    return None if prefix is None else _exactly(connection, _LENGTH.unpack(prefix)[0])


def _exactly(connection: socket.socket, size: int) -> bytes | None:
    parts = bytearray()
    while len(parts) < size:
        part = connection.recv(min(size - len(parts), 1 << 20))
        if not part:
            return None
        parts += part
    return bytes(parts)
