"""The application: the API, the accounts server and the control interface on one port."""

import socket

from aiohttp import web

from . import accounts_server, control, endpoints
from .state import STATE, State

HOST = "127.0.0.1"
LARGEST_CONTROL_BODY_BYTES = 256 * 1024 * 1024


def listen(port: int) -> socket.socket:
    """Return a socket bound to a port of the loopback interface; 0 means any free one."""
    listener = socket.create_server((HOST, port), backlog=1024)
    listener.setblocking(False)
    return listener


def application(state: State, own_url: str) -> web.Application:
    """Return the application for one state."""
    app = web.Application(client_max_size=LARGEST_CONTROL_BODY_BYTES)
    app[STATE] = state
    control.add_routes(app)
    accounts_server.add_routes(app, own_url)
    endpoints.add_routes(app)  # last: it ends with the address that matches everything
    return app
