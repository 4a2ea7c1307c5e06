"""What ``import trialbook`` costs over bare Python, and what the first ``Task`` costs.

python -m benchmarks.import_time
"""

import subprocess
import sys
import time

ROUNDS = 15
LIMIT_MS = 100.0


def milliseconds(code: str) -> float:
    """Median wall time of a fresh interpreter that runs ``code``."""
    times = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True)
        times.append(time.perf_counter() - began)
    return sorted(times)[ROUNDS // 2] * 1000


def main() -> None:
    """Print milliseconds and the ratio to the import of json and logging, measured in the same run."""
    bare = milliseconds("pass")
    standard = milliseconds("import json, logging") - bare
    package = milliseconds("import trialbook") - bare
    task = milliseconds("from trialbook import Task") - bare
    print(f"bare Python                 {bare:7.1f} ms")
    print(f"import json, logging        {standard:7.1f} ms over bare")
    print(
        f"import trialbook            {package:7.1f} ms over bare, {package / standard:.2f} × json and logging"
    )
    print(f"from trialbook import Task  {task:7.1f} ms over bare, {task / standard:.2f} × json and logging")
    print(f"limit for `import trialbook`: {LIMIT_MS:.0f} ms: {'kept' if package <= LIMIT_MS else 'MISSED'}")


if __name__ == "__main__":
    main()
