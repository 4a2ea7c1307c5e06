"""``python -m trialbook.server``: the server without the command line's other words."""

import argparse
import sys

from trialbook.server.main import main

if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m trialbook.server")
    parser.add_argument("--host")
    parser.add_argument("--port", type=int)
    parser.add_argument("--data")
    parser.add_argument("--database")
    arguments = parser.parse_args()
    sys.exit(main(host=arguments.host, port=arguments.port, data=arguments.data, database=arguments.database))
