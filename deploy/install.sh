#!/bin/sh
# Make .venv and install one lock file into it: deploy/install.sh all|dev|<service>
# Needs Python 3.11 or newer with venv. Every file is checked against the hash in the lock.
set -eu
cd "$(dirname "$0")/.."
extra=$1
lock="requirements/$extra.txt"
venv=.venv
pip="$venv/bin/python -m pip --disable-pip-version-check --quiet --quiet"

fail() {
    echo "$*" >&2
    exit 1
}

find_python() {
    for candidate in ${PYTHON:-} python3 python3.14 python3.13 python3.12 python3.11; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            command -v "$candidate"
            return
        fi
    done
    found=$(python3 -V 2>&1) || found="no python3"
    fail "Python 3.11 or newer is needed; found $found. Install one, or name it: make PYTHON=/path/to/python3.12"
}

make_venv() {
    python=$(find_python)
    "$python" -c 'import ensurepip, venv' 2>/dev/null ||
        fail "$python lacks the venv module; on Debian and Ubuntu: apt-get install python3-venv"
    echo "Making $venv with $("$python" -V)."
    rm -rf "$venv"
    "$python" -m venv "$venv" || fail "The virtual environment could not be made; the reason is above."
}

# uv installs in seconds what takes pip a minute. It does not read pip's configuration, so it is
# told pip's index; whatever else is configured there, pip itself does the work when uv cannot.
install_with_uv() {
    "$venv/bin/uv" --version >/dev/null 2>&1 || $pip install --require-hashes -r requirements/uv.txt || return 1
    index=${PIP_INDEX_URL:-$($pip config get global.index-url 2>/dev/null || true)}
    [ -z "$index" ] || export UV_DEFAULT_INDEX="$index"
    UV_SYSTEM_CERTS=1 UV_HTTP_TIMEOUT=30 "$venv/bin/uv" pip install --quiet --python "$venv" --require-hashes -r "$lock" 2>"$venv/uv.log"
}

# Not the large numeric packages: only training imports them, and then only a part.
compile() {
    "$venv/bin/python" -m compileall -q -j 0 \
        -x '/(tests?|pandas|scipy|statsmodels|numpy|matplotlib|fontTools|holidays|pip|setuptools)/' \
        "$venv/lib" >/dev/null 2>&1 || true
}

[ -f "$lock" ] || fail "There is no lock file $lock."
"$venv/bin/python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || make_venv
echo "Installing $lock."
install_with_uv || $pip install --no-compile --require-hashes -r "$lock" ||
    fail "The packages of $lock could not be installed; the reason is above. uv said: $(tail -n 3 "$venv/uv.log" 2>/dev/null)"
compile
touch "$venv/.installed-$extra"
