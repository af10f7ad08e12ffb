"""The program that limits itself, and then becomes the one that was asked for.

    python -I -S wrapper.py name=value ... -- PROGRAM ARGUMENT ...

It is started by path, as a script, and imports as little as it can, because every external program pays for its start.
``preexec_fn`` would run the same code between fork and exec of a process with threads, where it may hang.

Whatever is ordered and can't be had is an error: nothing ever runs with fewer layers than were asked for. Errors, and
``ready``, go to the descriptor of the order ``link``; its other end says whether the parent still lives.
"""

import ctypes
import os
import resource
import sys
from struct import pack

PROGRESS_DESCRIPTOR = 3
READY = b"ready\n"

PR_SET_PDEATHSIG, PR_SET_SECCOMP, PR_CAPBSET_READ, PR_SET_SECUREBITS = 1, 22, 23, 28
PR_SET_NO_NEW_PRIVS, PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL = 38, 47, 4
SECBIT_NOROOT_AND_LOCKED = 0x3
SIGKILL, SIGPIPE, SIGXFSZ, SIG_DFL = 9, 13, 25, 0

LANDLOCK_CREATE_RULESET, LANDLOCK_ADD_RULE, LANDLOCK_RESTRICT_SELF = 444, 445, 446
EXECUTE, WRITE_FILE, READ_FILE, READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
MAKE_CHAR, MAKE_SOCK, MAKE_FIFO, MAKE_BLOCK = 1 << 6, 1 << 9, 1 << 10, 1 << 11
TRUNCATE, IOCTL_DEV = 1 << 14, 1 << 15
FOR_FILES = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEV

RLIMITS = {
    "cpu": resource.RLIMIT_CPU,
    "memory": resource.RLIMIT_AS,
    "file": resource.RLIMIT_FSIZE,
    "descriptors": resource.RLIMIT_NOFILE,
    "core": resource.RLIMIT_CORE,
}

ARCHITECTURES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}
"""Machines with a column in the tables of system calls, and their numbers among the kernel's architectures."""
REFUSED_CALLS = {
    # No new processes; threads are let through.
    "fork": (57, None),
    "vfork": (58, None),
    # Nobody to talk to. io_uring does anything that has a call of its own, sockets too.
    "socket": (41, 198),
    "socketpair": (53, 199),
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    # No reaching into other processes, and no way around the folders that are allowed.
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "pidfd_getfd": (438, 438),
    "open_by_handle_at": (304, 265),
    "unshare": (272, 97),
    "setns": (308, 268),
    # What kernels are attacked by most, and no decoder ever calls.
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
}
CLONE, CLONE3 = (56, 220), (435, 435)
CLONE_THREAD = 0x10000
EPERM, ENOSYS = 1, 38

libc = ctypes.CDLL(None, use_errno=True)


def main() -> None:
    """Obey the orders, then become the program; without one, only say that the orders could be obeyed."""
    words = sys.argv[1:]
    end = words.index("--") if "--" in words else len(words)
    orders: dict[str, list[str]] = {}
    for word in words[:end]:
        name, _, value = word.partition("=")
        orders.setdefault(name, []).append(value)
    program = words[end + 1 :]
    link = _own_link(int(orders["link"][0]), orders)
    try:
        _obey(orders, link)
        os.write(link, READY)
        if program:
            os.execve(program[0], program, {})
    except Exception as error:
        os.write(link, f"{type(error).__name__}: {error}\n".encode(errors="replace")[:4000])
        os._exit(125)
    os._exit(0)


def _own_link(link: int, orders: dict[str, list[str]]) -> int:
    """Give the program its progress descriptor, and keep the link to the parent from it."""
    if link == PROGRESS_DESCRIPTOR:
        link = os.dup(link)
    os.set_inheritable(link, False)
    for progress in map(int, orders.get("progress", ())):
        if progress != PROGRESS_DESCRIPTOR:
            os.dup2(progress, PROGRESS_DESCRIPTOR)
            os.set_inheritable(progress, False)
    return link


def _obey(orders: dict[str, list[str]], link: int) -> None:
    def ordered(name: str) -> int:
        return int(orders.get(name, ["0"])[0])

    if ordered("die_with_parent"):
        _prctl(PR_SET_PDEATHSIG, SIGKILL)
    _check_parent(link)
    os.umask(0o077)
    os.nice(ordered("nice"))
    for name, number in RLIMITS.items():
        if name in orders:
            # The first SIGXCPU is a signal with a meaning; a program that catches it is killed a little later.
            resource.setrlimit(number, (ordered(name), ordered(name) + (name == "cpu")))
    # Python ignores these, and what is ignored stays so through exec: the program would outlive its limits.
    libc.signal(SIGPIPE, SIG_DFL)
    libc.signal(SIGXFSZ, SIG_DFL)
    if ordered("no_privileges"):
        _drop_privileges()
    if ordered("landlock"):
        _landlock(ordered("landlock"), orders)
    # The alarm goes through exec, and rings even where the parent is stopped.
    libc.alarm(ordered("wall"))
    if ordered("seccomp"):
        _seccomp(os.uname().machine)


def _check_parent(link: int) -> None:
    """Exit if the parent has died before it could be asked to take us with it."""
    os.set_blocking(link, False)
    try:
        os.read(link, 1)
    except BlockingIOError:
        return
    os._exit(125)


def _drop_privileges() -> None:
    """No capabilities from here on, for root neither, and none by set-uid programs."""
    _prctl(PR_SET_NO_NEW_PRIVS, 1)
    libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)
    if os.geteuid() != 0 or libc.prctl(PR_SET_SECUREBITS, SECBIT_NOROOT_AND_LOCKED, 0, 0, 0) == 0:
        return
    # Root may be forbidden to; that is fine where whoever forbade it (bubblewrap) has emptied the bounding set.
    if any(libc.prctl(PR_CAPBSET_READ, capability, 0, 0, 0) > 0 for capability in range(64)):
        raise PermissionError("root's capabilities can't be dropped")


def _landlock(abi: int, orders: dict[str, list[str]]) -> None:
    """Allow the ordered paths alone, and no TCP (landlock(7)).

    Moving between folders came with version 2, truncating with 3, TCP with 4, devices with 5, and with 6 the reach of
    signals and abstract sockets.
    """
    handled = (1 << 13) - 1 | (abi >= 2) << 13 | (abi >= 3) << 14 | (abi >= 5) << 15
    size = 8 if abi < 4 else 16 if abi < 6 else 24
    attributes = pack("QQQ", handled, 3, 3)[:size]
    ruleset = _syscall(LANDLOCK_CREATE_RULESET, attributes, size, 0)
    kept_out = EXECUTE | MAKE_CHAR | MAKE_SOCK | MAKE_FIFO | MAKE_BLOCK | IOCTL_DEV
    for name, rights in (
        ("read", READ_FILE | READ_DIR),
        ("execute", READ_FILE | READ_DIR | EXECUTE),
        ("write", handled & ~kept_out),
    ):
        for path in orders.get(name, ()):
            place = os.open(path, os.O_PATH | os.O_CLOEXEC)
            allowed = rights if os.path.isdir(path) else rights & FOR_FILES
            _syscall(LANDLOCK_ADD_RULE, ruleset, 1, pack("=Qi", allowed, place), 0)
            os.close(place)
    _prctl(PR_SET_NO_NEW_PRIVS, 1)
    _syscall(LANDLOCK_RESTRICT_SELF, ruleset, 0)
    os.close(ruleset)


def _seccomp(machine: str) -> None:
    """Refuse the calls that reading a video never needs (seccomp(2); the filter is classic BPF)."""
    column, architecture = ARCHITECTURES[machine]
    allow, kill, refuse, pretend = 0x7FFF0000, 0x80000000, 0x50000 | EPERM, 0x50000 | ENOSYS
    load, equal, above, any_bit, answer = 0x20, 0x15, 0x35, 0x45, 0x06
    number, architecture_at, first_argument = 0, 4, 16
    # (code, jump if true, jump if false, operand); a jump counts the instructions to pass over.
    steps = [
        (load, 0, 0, architecture_at), (equal, 1, 0, architecture), (answer, 0, 0, kill),
        (load, 0, 0, number),
        # The x32 calls of x86_64, which have numbers of their own.
        (above, 0, 1, 0x40000000), (answer, 0, 0, refuse),
        # Its flags are out of a filter's sight; told that there is none, every C library falls back on clone.
        (equal, 0, 1, CLONE3[column]), (answer, 0, 0, pretend),
    ]  # fmt: skip
    for calls in REFUSED_CALLS.values():
        if (call := calls[column]) is not None:
            steps += [(equal, 0, 1, call), (answer, 0, 0, refuse)]
    steps += [
        (equal, 0, 3, CLONE[column]),
        (load, 0, 0, first_argument), (any_bit, 1, 0, CLONE_THREAD), (answer, 0, 0, refuse),
        (answer, 0, 0, allow),
    ]  # fmt: skip
    code = ctypes.create_string_buffer(b"".join(pack("HBBI", *step) for step in steps))
    program = ctypes.create_string_buffer(pack("HxxxxxxP", len(steps), ctypes.addressof(code)))
    _prctl(PR_SET_NO_NEW_PRIVS, 1)
    _prctl(PR_SET_SECCOMP, 2, ctypes.addressof(program))


def _prctl(option: int, argument: int, third: int = 0) -> None:
    if libc.prctl(option, ctypes.c_ulong(argument), ctypes.c_ulong(third), 0, 0):
        raise OSError(ctypes.get_errno(), f"prctl {option}: {os.strerror(ctypes.get_errno())}")


def _syscall(number: int, *arguments: int | bytes) -> int:
    given = [ctypes.c_long(one) if isinstance(one, int) else one for one in arguments]
    result: int = libc.syscall(ctypes.c_long(number), *given)
    if result < 0:
        raise OSError(ctypes.get_errno(), f"system call {number}: {os.strerror(ctypes.get_errno())}")
    return result


if __name__ == "__main__":
    main()
