# SPDX-License-Identifier: Apache-2.0
# Shared by the scripts: system packages, and the virtual environment beside the checkout. To be sourced from the project's folder.

say() { printf '%s\n' "$*" >&2; }

# Runs a command as root, through sudo where needed.
as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif command -v sudo >/dev/null 2>&1; then
        sudo "$@"
    else
        say "this needs root rights, and there is no sudo: let root install the packages named above"
        return 1
    fi
}

# install_packages DEBIAN-NAMES -- FEDORA-NAMES -- ALPINE-NAMES: by whichever package manager there is.
install_packages() {
    deb="" rpm="" apk="" list=deb
    for word in "$@"; do
        if [ "$word" = -- ]; then
            [ "$list" = deb ] && list=rpm || list=apk
            continue
        fi
        eval "$list=\"\$$list $word\""
    done
    # shellcheck disable=SC2086
    if command -v apt-get >/dev/null 2>&1; then
        say "installing system packages:$deb (apt-get)"
        # a repository of somebody else's that cannot be read must not keep Debian's packages away
        as_root env DEBIAN_FRONTEND=noninteractive sh -c "apt-get update -qq
            apt-get install -y -qq --no-install-recommends $deb >/dev/null"
    elif command -v dnf >/dev/null 2>&1; then
        say "installing system packages:$rpm (dnf)"
        as_root dnf install -y -q $rpm >/dev/null
    elif command -v apk >/dev/null 2>&1; then
        say "installing system packages:$apk (apk)"
        as_root apk add --quiet $apk >/dev/null
    else
        say "neither apt-get, dnf nor apk is here: install a C compiler, the OpenSSL 3 headers and Python's venv module"
        return 1
    fi
}

has_openssl_headers() {
    printf '#include <openssl/ssl.h>\n#if OPENSSL_VERSION_NUMBER < 0x30000000L\n#error old\n#endif\n' |
        "${CC:-cc}" -E -x c - >/dev/null 2>&1
}

has_python_headers() {
    "$1" -c 'import os, sys, sysconfig; sys.exit(not os.path.exists(os.path.join(sysconfig.get_paths()["include"], "Python.h")))'
}

# The interpreter to build the environment with.
find_python() {
    for candidate in "${PYTHON:-}" python3 python3.14 python3.13 python3.12 python3.11 python3.10; do
        if [ -n "$candidate" ] && command -v "$candidate" >/dev/null 2>&1 &&
            "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null; then
            command -v "$candidate"
            return 0
        fi
    done
    say "CPython 3.10 or newer is needed: install one (beside an older python3, python3.12 for instance)"
    return 1
}

# need_system_packages PYTHON: installs what is missing, and nothing where nothing is.
need_system_packages() {
    name=""
    if ! has_python_headers "$1" || ! "$1" -c 'import ensurepip, venv' >/dev/null 2>&1; then
        name=$(basename "$1") # a Python beside the system's own has packages of its own
    fi
    if [ -n "$name" ] || ! command -v "${CC:-cc}" >/dev/null 2>&1 || ! command -v find >/dev/null 2>&1 || ! has_openssl_headers; then
        case $name in python3.*) ;; *) name=python3 ;; esac
        install_packages gcc libc6-dev libssl-dev "$name-dev" "$name-venv" -- gcc findutils openssl-devel "$name-devel" -- \
            gcc musl-dev openssl-dev python3-dev
    fi
}

venv_pip() { .venv/bin/python -m pip --quiet --disable-pip-version-check "$@"; }

sources() {
    find anjay_cffi vendor cmake CMakeLists.txt build_ffi.py pyproject.toml LICENSE README.md \
        -type f ! -name '*.pyc' ! -name '*.so' "$@"
}

# How to build, and of which files: one that is gone is not newer than anything. Folders do not tell, since Python
# makes its caches in them.
wanted_build() { printf '%s %s\n%s' "$PWD" "$*" "$(sources | LC_ALL=C sort)"; }

# True if the last build was made here, in the same way, and no source is newer or gone.
is_built() {
    [ -f .venv/built ] && [ "$(cat .venv/built)" = "$1" ] && [ -z "$(sources -newer .venv/built | head -n 1)" ]
}

# make_venv EXTRA [PIP-ARGS...]: .venv with this package and one of its extras in it. Builds only what is not built yet.
# An environment that was left half made, or moved, is made anew.
make_venv() {
    extra=$1
    shift
    python=$(find_python)
    need_system_packages "$python"
    wanted=$(wanted_build "$@")
    if ! venv_pip --version >/dev/null 2>&1 || [ "$(cat .venv/place 2>/dev/null)" != "$PWD" ]; then
        "$python" -m venv --clear .venv
        printf '%s' "$PWD" >.venv/place
    fi
    if ! is_built "$wanted"; then
        say "building and installing anjay_cffi into .venv"
        rm -f .venv/built .venv/has-*
        # its time is that of the beginning: what is edited while the compiler runs is newer
        printf '%s' "$wanted" >.venv/building
        venv_pip install "$@" ".[$extra]"
        mv .venv/building .venv/built
        : >".venv/has-$extra"
    elif [ ! -f ".venv/has-$extra" ]; then
        say "installing what anjay_cffi[$extra] needs into .venv"
        venv_pip install "anjay-cffi[$extra]"
        : >".venv/has-$extra"
    fi
}
