# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m tests.sandbox`: serve a simulated fleet until stopped."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from pathlib import Path

from .faults import KINDS, Fault, read_fault
from .fleet import Fleet, names
from .inventory import write_inventory
from .server import Sandbox
from .settings import SettingError
from .snow.instance import AUTOMATION
from .snow.releases import DEFAULT_RELEASE, RELEASES
from .tls import make_certificates


def parse_fault(text: str) -> Fault:
    """Parse KIND:RATE; without a rate the fault always occurs."""
    kind, _, rate = text.partition(":")
    try:
        return read_fault({"kind": kind, "rate": float(rate) if rate else 1.0})
    except (SettingError, ValueError) as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def parse_args(arguments: list[str] | None = None) -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.sandbox",
        description="Serve simulated ServiceNow instances on 127.0.0.1 until stopped by SIGTERM or SIGINT. Prints "
        "READY and the base URL once it listens. Everything in it is made up, passwords included.",
        epilog="The control API is at <base url>/_sandbox; GET lists its routes.",
    )
    add = parser.add_argument
    add("--instances", type=int, default=3, metavar="N", help="number of instances (default: 3)")
    add(
        "--inventory", type=Path, metavar="FILE", help="write a YAML inventory with all instances and their credentials"
    )
    add("--port", type=int, default=0, metavar="N", help="port to listen on (default: a free one)")
    add(
        "--release",
        choices=RELEASES,
        default=DEFAULT_RELEASE,
        help=f"release of all instances (default: {DEFAULT_RELEASE})",
    )
    add(
        "--latency",
        type=float,
        default=0.0,
        metavar="MS",
        help="minimum milliseconds per response (default: 0)",
    )
    add("--tls", action="store_true", help="serve https with a throw-away CA, written next to the inventory")
    add("--basic-auth-enforced", action="store_true", help="refuse Basic authentication of interactive accounts")
    add(
        "--fault",
        type=parse_fault,
        action="append",
        default=[],
        metavar="KIND:RATE",
        help=f"inject a fault at a rate from 0 to 1; repeatable. Kinds: {', '.join(KINDS)}",
    )
    add("--seed", type=int, default=0, metavar="N", help="seed of passwords and random faults (default: 0)")
    add(
        "--state",
        type=Path,
        metavar="FILE",
        help="load the fleet's state from FILE if it exists, save it there on exit",
    )
    return parser.parse_args(arguments)


def build(options: argparse.Namespace) -> Sandbox:
    """Build the sandbox from the command-line options."""
    defaults = {
        "release": options.release,
        "latency_ms": options.latency,
        "basic_auth_enforced": options.basic_auth_enforced,
    }
    fleet = Fleet(seed=options.seed, defaults=defaults, faults=options.fault)
    if options.state is not None and options.state.exists():
        fleet.load(options.state)
    for name in names(options.instances):
        if name not in fleet.instances:
            fleet.create(name)
    certificates = None
    if options.tls:
        directory = options.inventory.resolve().parent if options.inventory is not None else Path.cwd()
        certificates = make_certificates(directory, AUTOMATION)
    return Sandbox(fleet, port=options.port, certificates=certificates)


async def serve(options: argparse.Namespace) -> None:
    """Serve until a signal arrives."""
    sandbox = build(options)
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    await sandbox.start()
    if options.inventory is not None:
        instances = [sandbox.describe(name) for name in sandbox.fleet.instances]
        write_inventory(options.inventory, instances, sandbox.describe_tenant())
    print(f"READY {sandbox.base_url}", flush=True)
    await stopped.wait()
    await sandbox.stop()
    if options.state is not None:
        sandbox.fleet.save(options.state)


def main() -> int:
    """Entry point of the command."""
    try:
        asyncio.run(serve(parse_args()))
    except OSError as error:
        print(f"sandbox: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
