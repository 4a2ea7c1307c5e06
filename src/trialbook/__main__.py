"""``python -m trialbook`` is the ``trialbook`` command."""

from trialbook.cli.main import main

if __name__ == "__main__":
    main()
