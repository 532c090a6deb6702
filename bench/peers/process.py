"""The commands of engines/process.js, for an engine in Python."""

import json
import statistics
import sys
import time


def serve(version, tasks):
    """Answers commands until the input ends. `tasks` maps a name to a function that prepares a function to run."""
    if "--first-step" in sys.argv:
        tasks["W1"]()()
        print(time.time() * 1e3, flush=True)
        return
    say(dict(version=version))
    name = run = None
    for line in sys.stdin:
        command = json.loads(line)
        try:
            if "ms" in command:
                if command["task"] != name:
                    raise ValueError(f"{command['task']} was not prepared")
                say(dict(ms=median_time(run, command["ms"])))
            elif command["task"] not in tasks:
                name = run = None
                say(dict(cannot="not written for this engine"))
            else:
                name = run = None
                run = tasks[command["task"]]()
                name = command["task"]
                say(dict(values=[run() for _ in range(3)]))
        except Exception as error:  # Whatever an engine cannot do is an answer, too.
            say(dict(cannot=str(error).split("\n")[0]))


def median_time(run, ms):
    times = []
    left = ms
    while left > 0 or len(times) < 3:
        start = time.perf_counter_ns()
        run()
        times.append((time.perf_counter_ns() - start) / 1e6)
        left -= times[-1]
    return statistics.median(times)


def say(message):
    print(json.dumps(message), flush=True)
