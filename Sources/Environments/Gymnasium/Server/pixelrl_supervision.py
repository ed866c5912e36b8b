"""Makes sure that an environment's process and all processes that it started end.

The process that pixelrl starts splits in two: a supervisor, which pixelrl waits for, and the server, which runs the
environment. The supervisor adopts orphaned processes and ends them after the server. It exits like the server: with its
exit code, or with 128 plus its signal.
"""

import os
import select
import signal
import sys
import threading
import time

# The seconds that the server has to close its environment after pixelrl has closed the socket or ended.
CLOSING = 10
# The seconds that the remaining processes have to end by themselves, after SIGTERM and after SIGKILL.
PATIENCE = ((None, 0.3), (signal.SIGTERM, 0.5), (signal.SIGKILL, 2))
# pixelrl handles these signals: it may write a checkpoint first, and then closes the socket.
IGNORED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2)
SET_DEATH_SIGNAL, SET_SUBREAPER = 1, 36


def split(socket):
    """Forks. The child, the server, returns. The parent becomes its supervisor and does not return."""
    # The signals are caught instead of ignored, since started programs inherit ignored signals.
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
        """Restores the signals and closes the socket in processes that the environment forks."""
        for number, handler in former.items():
            signal.signal(number, handler)
        socket.close()

    os.register_at_fork(after_in_child=leave_alone)


def control(option, value):
    """Calls prctl(2) if it exists."""
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
    """Ends the server after pixelrl has ended, whatever the server is doing."""
    poll = select.poll()
    poll.register(socket.fileno(), 0)  # poll always reports that the other side has closed
    poll.poll()
    time.sleep(CLOSING)
    os.kill(server, signal.SIGKILL)


def end_descendants():
    """Ends the processes that the server left. Each becomes a child of this process when its parent ends."""
    for number, patience in PATIENCE:
        end, signaled = time.monotonic() + patience, set()
        while time.monotonic() < end:
            try:
                while os.waitpid(-1, os.WNOHANG)[0]:
                    pass
            except ChildProcessError:
                return
            for child in set(children()) - signaled if number else ():
                signaled.add(child)
                os.kill(child, number)
            time.sleep(0.01)


def children():
    own = str(os.getpid())
    for name in os.listdir("/proc"):
        try:
            with open(f"/proc/{name}/stat", errors="replace") as file:
                # The program's name may contain any characters.
                if name.isdigit() and file.read().rpartition(")")[2].split()[1] == own:
                    yield int(name)
        except OSError:
            pass  # it has ended, or is not a process


def leave():
    """Exits this process. After a second, exits without waiting for threads or processes of the environment."""

    def exit_at_last():
        time.sleep(1)
        os._exit(0)

    threading.Thread(target=exit_at_last, daemon=True).start()
    sys.exit()
