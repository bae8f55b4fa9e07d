"""The commands of `./aip`: set-up, processes, tests. Plain Python, so that it can prepare what Django needs."""
