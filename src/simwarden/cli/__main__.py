"""`python -m simwarden.cli`."""

from simwarden.cli.main import main

if __name__ == "__main__":
    main()
