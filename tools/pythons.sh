#!/bin/sh
# The supported Pythons of this machine that can make an environment, the newest first, a line each: 3.13=/usr/bin/python3.13
# Looked for on the PATH, then among pyenv's.
for version in 3.13 3.12 3.11; do
    for python in "python$version" "${PYENV_ROOT:-$HOME/.pyenv}/versions/$version".*/bin/"python$version"; do
        found=$("$python" -c 'import ensurepip, sqlite3, ssl, sys; print("%d.%d" % sys.version_info[:2] + "=" + sys.executable)' 2>/dev/null)
        case $found in "$version="*) echo "$found"; break ;; esac
    done
done
