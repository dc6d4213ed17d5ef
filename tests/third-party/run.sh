#!/usr/bin/env bash
# Independent hosts drive jibu-modem-sim: gammu, smstools, python-gsmmodem-new.
# So the simulator is not just our own idea of a modem. shell/modem drives five
# modems that the makers of python-gsmmodem-new recorded, and smppy is the SMSC of a
# jibud, so that neither AT commands nor SMPP are just our own idea either.
#
# Installs what it needs by name (apt-get for the first two, virtual environments
# for the others), builds the simulator and jibud, and runs all examiners side by
# side. Prints a line per step that worked; exits 1 when one failed.
set -euo pipefail
cd "$(dirname "$0")"

missing=()
command -v gammu >/dev/null || missing+=(gammu)
command -v smsd >/dev/null || missing+=(smstools)
if ((${#missing[@]})); then
    as_root=()
    [[ $EUID -eq 0 ]] || as_root=(sudo)
    "${as_root[@]}" apt-get -qq update
    DEBIAN_FRONTEND=noninteractive \
        "${as_root[@]}" apt-get -qq install -y --no-install-recommends "${missing[@]}" >/dev/null
fi

version=0.13.0
environment="${XDG_CACHE_HOME:-$HOME/.cache}/jibu-venv-gsm"
if ! "$environment/bin/python" -c 'import gsmmodem' 2>/dev/null; then
    python3 -m venv "$environment"
    "$environment/bin/pip" install --quiet "python-gsmmodem-new==$version"
fi
# The recordings are in its source package only.
recordings="$environment/python_gsmmodem_new-$version"
if [[ ! -e $recordings/test/fakemodems.py ]]; then
    "$environment/bin/pip" download --quiet --no-binary :all: --no-deps \
        --dest "$environment" "python-gsmmodem-new==$version"
    mkdir -p "$recordings"
    tar -xzf "$environment"/python?gsmmodem?new-"$version".tar.gz -C "$recordings" \
        --strip-components=1
fi

smppy="${XDG_CACHE_HOME:-$HOME/.cache}/jibu-venv-smpp"
if ! "$smppy/bin/python" -c 'import smppy' 2>/dev/null; then
    python3 -m venv "$smppy"
    "$smppy/bin/pip" install --quiet smppy==0.3.0 smpppdu==0.1.2
fi

# The folder of the programs. All are built together, or tract is compiled twice.
if [[ -z ${JIBU_PROGRAMS:-} ]]; then
    JIBU_PROGRAMS=$(cargo build --quiet --workspace --all-targets --message-format=json |
        python3 -c '
import json, os, sys
found = [json.loads(line).get("executable") for line in sys.stdin]
print([os.path.dirname(path) for path in found if path and path.endswith("/jibud")][-1])')
fi
export JIBUD="$JIBU_PROGRAMS/jibud"
export JIBU_MODEM_SIM="$JIBU_PROGRAMS/jibu-modem-sim"

logs=$(mktemp -d)
trap 'jobs -pr | xargs -r kill; rm -rf "$logs"' EXIT
declare -A running
examine() { # python script name
    "$@" >"$logs/${2%.py}-$3" 2>&1 &
    running["${2%.py}-$3"]=$!
}
examine "$smppy/bin/python" smpp_smsc.py jibud
for profile in generic sim800l sim7600 ec25; do
    examine python3 gammu.py "$profile"
    examine python3 smstools.py "$profile"
    examine "$environment/bin/python" gsmmodem_new.py "$profile"
done
for modem in HuaweiK3715 HuaweiE1752 WavecomMultiband900E1800 QualcommM6280 ZteK3565Z; do
    examine python3 recorded.py "$modem" "$recordings" "$JIBU_PROGRAMS/examples/converse"
done

failed=0
for name in "${!running[@]}"; do
    if wait "${running[$name]}"; then
        cat "$logs/$name"
    else
        failed=1
        echo "FAILED $name" >&2
        cat "$logs/$name" >&2
    fi
done
exit "$failed"
