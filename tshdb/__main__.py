"""`python -m tshdb`: the program `tshdb`."""

from tshdb.start import main

if __name__ == "__main__":
    main()
