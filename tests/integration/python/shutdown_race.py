"""What fdatasync answers around FS_IOC_SHUTDOWN (NOLOGFLUSH) on ext4, and what of it is on the disk afterwards.

Needs root. Each run makes an ext4 in a file, appends records to a file on it with one fdatasync each from two threads,
shuts the file system down in between, mounts it again and looks for every record. Prints, by when the sync began and
ended relative to the shutdown, what it answered and whether its record is there:

    python shutdown_race.py RUNS [FOLDER]
"""

import collections
import errno
import fcntl
import os
import random
import struct
import subprocess
import sys
import tempfile
import threading
import time

# FS_IOC_SHUTDOWN and FS_SHUTDOWN_FLAGS_NOLOGFLUSH of linux/fs.h.
FS_IOC_SHUTDOWN, NOLOGFLUSH = 0x8004587D, 2
BLOCK, RECORDS = 4096, 8000
runs = int(sys.argv[1])
seed = random.randrange(1 << 32)
print(f"seed {seed}")
draw = random.Random(seed)


def run(*command):
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def record(writer, number):
    return f"record {writer} {number}.".encode().ljust(BLOCK, b"\0")


def append(path, writer, preallocate, synced):
    fd = os.open(path, os.O_RDWR | os.O_CREAT)
    if preallocate:
        os.posix_fallocate(fd, 0, (RECORDS + 1) * BLOCK)
    os.fsync(fd)
    for number in range(RECORDS):
        try:
            os.pwrite(fd, record(writer, number), number * BLOCK)
        except OSError:
            break
        answer, begin = "0", time.monotonic_ns()
        try:
            os.fdatasync(fd)
        except OSError as error:
            answer = errno.errorcode[error.errno]
        synced.append((writer, number, begin, time.monotonic_ns(), answer))
        if answer != "0":
            break
    os.close(fd)


def when(begin, end, shut, done):
    if end < shut:
        return "ended before the shutdown"
    if begin < shut:
        return "began before it, ended during or after it"
    return "began during it" if begin < done else "began after it"


def one(folder, preallocate, count):
    image, mounted = f"{folder}/image", f"{folder}/disk"
    os.makedirs(mounted, exist_ok=True)
    with open(image, "wb") as file:
        file.truncate(256 << 20)
    run("/sbin/mkfs.ext4", "-q", "-F", image)
    run("mount", "-o", "loop", image, mounted)
    try:
        synced = []
        paths = [f"{mounted}/{writer}" for writer in range(2)]
        writers = [
            threading.Thread(target=append, args=(path, writer, preallocate, synced))
            for writer, path in enumerate(paths)
        ]
        root = os.open(mounted, os.O_RDONLY | os.O_DIRECTORY)
        for writer in writers:
            writer.start()
        # The moment is drawn by how far the writers have come.
        moment = draw.randrange(20, 200)
        while len(synced) < moment:
            time.sleep(0)
        shut = time.monotonic_ns()
        fcntl.ioctl(root, FS_IOC_SHUTDOWN, struct.pack("I", NOLOGFLUSH))
        done = time.monotonic_ns()
        for writer in writers:
            writer.join()
        os.close(root)
        run("umount", mounted)
        run("mount", "-o", "loop", image, mounted)
        found = {}
        for writer, path in enumerate(paths):
            with open(path, "rb") as file:
                found[writer] = file.read()
        for writer, number, begin, end, answer in synced:
            there = found[writer][number * BLOCK : (number + 1) * BLOCK] == record(writer, number)
            count[when(begin, end, shut, done), f"answered {answer}", "there" if there else "LOST"] += 1
    finally:
        run("umount", mounted)


count = collections.Counter()
with tempfile.TemporaryDirectory(dir=sys.argv[2] if len(sys.argv) > 2 else None) as folder:
    for number in range(runs):
        one(folder, number % 2 == 0, count)
for line in sorted(count):
    print(f"{count[line]:8} {', '.join(line)}")
early = [line for line in count if line == ("ended before the shutdown", "answered 0", "LOST")]
sys.exit("a sync that was answered before the shutdown was lost" if early else 0)
