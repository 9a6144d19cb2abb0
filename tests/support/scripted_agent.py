"""A program in the place of a coding agent: `scripted_agent.py BEHAVIOUR [ARGUMENT]`, run in the scratch folder."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

POLICY = Path("policy.hl")
BEST = """\
# look ahead, says the agent
policy lean for "CartPole-v1" {
  observe pole.angle, pole.velocity
  act { when pole.angle + 0.1 * pole.velocity > 0 => RIGHT  otherwise => LEFT }
}
"""


def improves(argument):
    prompt, task, feedback = sys.stdin.read(), Path("TASK.md").read_text(), Path("FEEDBACK.md").read_text()
    assert "policy.hl" in prompt and "CartPole-v1" in task and POLICY.read_text() in feedback
    POLICY.write_text(BEST)


def gives(argument):
    """Saves the first of the texts in a folder, and removes it there."""
    first = min(Path(argument).iterdir(), key=lambda path: int(path.name))
    POLICY.write_text(first.read_text())
    first.unlink()


def hangs(argument):
    time.sleep(600)


def hangs_with_a_result(argument):
    POLICY.write_text(BEST)
    time.sleep(600)


def forks(argument):
    """Starts children in its group, in sessions of their own and orphaned, and exits before them."""
    POLICY.write_text(BEST)
    for session in (False, True):
        subprocess.Popen(["sleep", argument], start_new_session=session)
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            time.sleep(float(argument))
        os._exit(0)


def is_stubborn(argument):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    subprocess.Popen(["sleep", argument])
    while True:
        time.sleep(0.1)


def writes_garbage(argument):
    POLICY.write_bytes(bytes(range(256)) * 50)


def writes_too_much(argument):
    POLICY.write_text(BEST + "# x\n" * 400_000)


def deletes(argument):
    POLICY.unlink()


def links(argument):
    POLICY.unlink()
    POLICY.symlink_to(argument)


def makes_a_pipe(argument):
    POLICY.unlink()
    os.mkfifo(POLICY)


def makes_a_folder(argument):
    POLICY.unlink()
    POLICY.mkdir()
    (POLICY / "locked").mkdir(mode=0)


def writes_outside(argument):
    POLICY.write_text(BEST)
    for path in (Path(argument), Path(os.getcwd()).parent / Path(argument).name):
        try:
            path.write_text("from the agent")
        except OSError as error:
            print(f"refused: {error.strerror}")


def kills_the_study(argument):
    POLICY.write_text(BEST)
    try:
        os.kill(int(argument), signal.SIGKILL)
    except PermissionError:
        print("refused to signal")


def talks(argument):
    POLICY.write_text(BEST)
    for _ in range(20_000):
        print("chatter " * 16)
    print("the last word")


def gives_up(argument):
    print("no credit left")
    sys.exit(3)


def gives_up_once(argument):
    if not Path(argument).exists():
        Path(argument).write_text("")
        sys.exit(3)
    POLICY.write_text(BEST)


if __name__ == "__main__":
    globals()[sys.argv[1]](sys.argv[2] if len(sys.argv) > 2 else "")
