"""A federation of helper processes on loopback, for scripts that need one for longer than `quorate try`."""

import json
import os
import pathlib
import signal
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent


class Failure(Exception):
    """What a script ends with."""


class Federation:
    """The helper processes, and the commands of everybody else."""

    def __init__(self, directory, helpers):
        self.binary = subprocess.check_output([ROOT / "scripts/binary"], text=True).strip()
        self.directory, self.helpers = directory, helpers
        self.run("federation", "new", "--local", helpers, "--dir", "trial", json_wanted=False)
        self.processes = {}
        for number in range(1, helpers + 1):
            self.start(number)
        self.wait_until_up()

    def run(self, *arguments, json_wanted=True):
        command = [self.binary, *map(str, arguments), *(["--json"] if json_wanted else [])]
        done = subprocess.run(command, cwd=self.directory, env=self.environment(), capture_output=True, text=True)
        if done.returncode != 0:
            raise Failure(f"quorate {' '.join(command[1:])}:\n{done.stdout}{done.stderr}")
        return json.loads(done.stdout) if json_wanted else None

    def environment(self):
        return {**os.environ, "QUORATE_FEDERATION": "trial/federation.toml"}

    def start(self, number):
        log = open(self.directory / f"helper-{number}.log", "a")
        command = [self.binary, "helper", "run", "--dir", f"trial/helper-{number}"]
        self.processes[number] = subprocess.Popen(
            command, cwd=self.directory, stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )

    def kill(self, number):
        self.processes[number].send_signal(signal.SIGKILL)
        self.processes[number].wait()

    def stop(self):
        for process in self.processes.values():
            if process.poll() is None:
                process.kill()
                process.wait()

    def wait_until_up(self):
        """Until every helper answers and is connected to all others."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            reports = self.run("status")["helpers"]
            if all(report["up"] and len(report["status"]["connected"]) == self.helpers - 1 for report in reports):
                return
            time.sleep(0.1)
        raise Failure(f"not all helpers came up: {reports}")
