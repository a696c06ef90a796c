"""`python -m simwarden`, the same as the command."""

from simwarden.cli.entry import main

if __name__ == "__main__":
    main()
