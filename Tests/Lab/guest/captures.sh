#!/bin/sh
# Makes the captures that are kept in Tests/Fixtures: this machine as it is, with three virtual functions for guests, and with
# a guest that has one of them. Each is told as lines "capture NAME BASE64" of an archive.
set -eu
export SCENARIO_DIR=/tmp/captures
mkdir -p "$SCENARIO_DIR"
cd "$SCENARIO_DIR"
# shellcheck source=checks.sh
. /lab/checks.sh
# shellcheck source=machine-inside.sh
. /lab/machine-inside.sh

hand_out() {
    vfioctl capture "$1" --redact >&2
    tar -c -z -f - "$1" | base64 | sed "s/^/capture $1 /"
}

# The interface is up, as on a machine that is in use.
ip link set eth0 up
hand_out lab
vfioctl sriov create eth0 3 --driver vfio-pci >&2
hand_out lab-with-vfs
open_monitor
# shellcheck disable=SC2086 # words
vfioctl run eth0:vf0 --user guest --memory 32M -- qemu-system-x86_64 $small_machine -qmp "pipe:$monitor" \
    -object 'iommufd,id=i0,fd={iommufd}' -device 'vfio-pci,fd={fd},iommufd=i0' >&2 &
machine=$!
# It has the device once its monitor answers.
ask query-status >&2
hand_out lab-with-guest
close_machine "$machine"
vfioctl restore --all >&2
vfioctl sriov destroy eth0 >&2
