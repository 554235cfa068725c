"""Free TCP ports on the loopback address.

Taken from below the range that systems use for outgoing connections (from 32768 on Linux, from 49152
elsewhere), so that a port that was free when it was chosen is still free when a server comes back after a
restart.
"""

import random
import socket

LOOPBACK = "127.0.0.1"
_RANGE = range(20_000, 32_000)


def is_free(port: int) -> bool:
    """Whether a server could listen on this loopback port now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As servers do: connections of the last run that are still closing do not make a port taken.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
            probe.listen(1)
        except OSError:
            return False
    return True


def free_ports(count: int) -> list[int]:
    """So many different ports that nothing listens on."""
    ports: list[int] = []
    for port in random.sample(_RANGE, k=len(_RANGE)):
        if len(ports) == count:
            break
        if is_free(port):
            ports.append(port)
    return ports
