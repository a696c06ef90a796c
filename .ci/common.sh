# What `.ci/run` and `.ci/full` share; sourced, in the root of the repository.
set -euo pipefail
export CI=true PIP_DISABLE_PIP_VERSION_CHECK=1
# Where it is set, each of the hundreds of processes that tests start would compile the package again.
unset PYTHONDONTWRITEBYTECODE
# Two workers for each processor: tests with other implementations and killed processes mostly wait.
export PYTEST_XDIST_AUTO_NUM_WORKERS=$(($(nproc) * 2))
shopt -s nullglob

step() { printf '\n== %s (%ss)\n' "$1" "$SECONDS"; }

# Print the first interpreter of Python version $1 that can make environments; nothing if there is none.
find_python() {
  local candidate
  for candidate in "python$1" python3 /usr/bin/python3 "$HOME"/.pyenv/versions/"$1".*/bin/python; do
    if "$candidate" -c "import sys, venv, ensurepip; sys.exit(sys.version_info[:2] != (${1/./, }))" 2>/dev/null; then
      echo "$candidate"
      return
    fi
  done
}

# The implementations of others that ours is tried against, programs that send through it, PostgreSQL, and a browser.
packages=(tshark chromium freediameterd freediameter-extensions libfreediameter-dev gcc libc6-dev libosmocore-utils
  pcscd vsmartcard-vpcd pcsc-tools opensc libusrsctp2 postgresql mosquitto mosquitto-clients curl kannel
  iproute2 iputils-ping knot-dnsutils nginx unbound openssl iodine dns2tcp osmo-stp sip-tester baresip-core kamailio user-mode-linux)

install_packages() {
  dpkg -s "${packages[@]}" >/dev/null 2>&1 && return
  as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi; }
  export DEBIAN_FRONTEND=noninteractive
  as_root apt-get update -qq
  as_root apt-get install -qq -y --no-install-recommends "${packages[@]}" >/dev/null
}

# Make the environment of all tests with the oldest supported Python that is here.
make_environment() {
  local version
  for version in 3.11 3.12 3.13 3.14; do
    python=$(find_python "$version")
    [ -z "$python" ] || break
  done
  [ -n "$python" ] || { echo "needs Python 3.11 or newer with venv" >&2; exit 1; }
  step "Environment with $("$python" --version)"
  make PYTHON="$python" .venv/.lint
  .venv/bin/python -m pip install --quiet --constraint constraints.txt --group web
}
