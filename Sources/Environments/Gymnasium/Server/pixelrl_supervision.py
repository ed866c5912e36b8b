"""Ends an environment's process and all that it started, in order and whatever happens.

What pixelrl starts splits in two: a supervisor, which pixelrl waits for, and the server, which plays. The supervisor adopts
what outlives its parents, ends it after the server, and ends as the server did: with its exit code, or 128 and its signal.
"""

import os
import select
import signal
import sys
import threading
import time

# Seconds that the server has to close its environment once pixelrl has closed the socket, or is gone.
CLOSING = 10
# Seconds that those that are left have to end by themselves, after SIGTERM and after SIGKILL.
PATIENCE = ((None, 0.3), (signal.SIGTERM, 0.5), (signal.SIGKILL, 2))
# An interrupt or the end of a job is pixelrl's to handle: it may want to write a checkpoint, and closes the socket.
IGNORED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2)
SET_DEATH_SIGNAL, SET_SUBREAPER = 1, 36


def split(socket):
    """Goes on in a child process, the server; the parent becomes its supervisor and does not return."""
    # Caught and not ignored: programs that are started inherit what is ignored.
    former = {number: signal.signal(number, lambda *_: None) for number in IGNORED}
    control(SET_SUBREAPER, 1)
    supervisor = os.getpid()
    server = os.fork()
    if server:
        supervise(server, socket)
    control(SET_DEATH_SIGNAL, signal.SIGKILL)
    if os.getppid() != supervisor:
        os._exit(1)

    def leave_alone():
        """What the environment forks has its signals as they were, and not our socket."""
        for number, handler in former.items():
            signal.signal(number, handler)
        socket.close()

    os.register_at_fork(after_in_child=leave_alone)


def control(option, value):
    """Calls prctl(2), where there is such a thing."""
    try:
        import ctypes

        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)
    except (ImportError, OSError, AttributeError):
        pass


def supervise(server, socket):
    threading.Thread(target=end_with_parent, args=(server, socket), daemon=True).start()
    while True:
        process, status = os.waitpid(-1, 0)
        if process == server:
            break
    end_descendants()
    code = os.waitstatus_to_exitcode(status) if hasattr(os, "waitstatus_to_exitcode") else status >> 8 or -(status & 0x7F)
    os._exit(code if code >= 0 else 128 - code)


def end_with_parent(server, socket):
    """Ends the server when pixelrl is gone, whatever it is doing."""
    poll = select.poll()
    poll.register(socket.fileno(), 0)  # the other side's end is always told
    poll.poll()
    time.sleep(CLOSING)
    os.kill(server, signal.SIGKILL)


def end_descendants():
    """Ends what the server left: each process becomes a child of this one as its parent ends."""
    for number, patience in PATIENCE:
        end, told = time.monotonic() + patience, set()
        while time.monotonic() < end:
            try:
                while os.waitpid(-1, os.WNOHANG)[0]:
                    pass
            except ChildProcessError:
                return
            for child in set(children()) - told if number else ():
                told.add(child)
                os.kill(child, number)
            time.sleep(0.01)


def children():
    own = str(os.getpid())
    for name in os.listdir("/proc"):
        try:
            with open(f"/proc/{name}/stat", errors="replace") as file:
                # The name of the program may hold anything.
                if name.isdigit() and file.read().rpartition(")")[2].split()[1] == own:
                    yield int(name)
        except OSError:
            pass  # it has ended, or is no process


def leave():
    """Ends this process as a program does; where threads or processes of the environment would be waited for, without them."""

    def exit_at_last():
        time.sleep(1)
        os._exit(0)

    threading.Thread(target=exit_at_last, daemon=True).start()
    sys.exit()
