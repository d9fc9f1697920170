# Following devices: what happens to them is told as it happens, by the kernel's events and by udev's, and nothing is missed
# in silence.

# watch [ARGUMENT…]: starts it; its lines are in `events`, its pid in $watcher, and it listens by the time this returns.
watch() {
    vfioctl watch --verbose "$@" >events 2>messages &
    watcher=$!
    wait_until 20 grep watching messages >/dev/null
}

# unwatch SIGNAL: ends it; $ended is its status.
unwatch() {
    kill "-$1" "$watcher"
    ended=0
    wait "$watcher" || ended=$?
}

# told JQ: some event answers the expression with true.
told() {
    jq -e "select($1)" events >/dev/null 2>&1
}

# check_told TITLE JQ: such an event comes.
check_told() {
    if wait_until 20 told "$2"; then held=yes; else held=no; fi
    run_command cat events
    verdict "$1" "an event with $2" "$held" vfioctl watch --json
}

# --- a device's story, by either source --------------------------------------------------------------------------------

story() {
    watch --json
    check_equal "$1: it says whose events it follows" 1 "$(grep -c "by $2 events" messages)"
    vfioctl bind 00:03.0 >/dev/null
    check_told "$1: a driver takes a device: the device as list shows it comes along" \
        '.action == "bind" and .address == "0000:00:03.0" and .driver == "vfio-pci" and .device.driver == "vfio-pci"
            and .device.vfio.group != null and .source == "'"$1"'" and .schema == "vfioctl.watch/1"'
    vfioctl restore 00:03.0 >/dev/null
    check_told "$1: it lets it go" '.action == "unbind" and .address == "0000:00:03.0"'

    vfioctl sriov create eth0 2 --driver vfio-pci >/dev/null
    check_told "$1: a virtual function appears, with its physical function" \
        '.action == "add" and .address == "0000:01:10.2" and .device.physical_function == "0000:01:00.0"'
    check_told "$1: it is bound" '.action == "bind" and .address == "0000:01:10.2" and .driver == "vfio-pci"'
    vfioctl restore 01:10.0 01:10.2 >/dev/null
    vfioctl sriov destroy eth0 >/dev/null
    check_told "$1: it goes, and is no device any more" \
        '.action == "remove" and .address == "0000:01:10.2" and .device == null'
    echo change >/sys/bus/pci/devices/0000:03:00.0/uevent
    check_told "$1: whatever else changes is told" \
        '.action == "change" and .address == "0000:03:00.0" and .device.driver == "e1000e"'
    # udevd deals with several devices at a time, but with one event of each.
    jq -r '"\(.address) \(.sequence)"' events | sort -s -k 1,1 >in-order-told
    sort -u -k 1,1 -k 2,2n in-order-told >in-order
    check_same_file "$1: each event of a device is told once, in order" in-order in-order-told
    unwatch INT
    check_equal "$1: SIGINT ends it with status 0" 0 $ended
}

story kernel "the kernel's"

mkdir -p /run/udev
systemd-udevd >udevd-says 2>&1 &
udevd=$!
if wait_until 20 test -e /run/udev/control; then
    story udev "udev's"
else
    check_equal "udevd starts" "" "$(cat udevd-says)"
fi
kill "$udevd"
wait "$udevd" || true
rm -rf /run/udev

# --- what is told ------------------------------------------------------------------------------------------------------

watch 00:03.0
echo change >/sys/bus/pci/devices/0000:03:00.0/uevent
vfioctl bind 00:03.0 >/dev/null
wait_until 20 grep bind events >/dev/null
unwatch TERM
check_equal "SIGTERM ends it with status 0" 0 $ended
check_equal "with a DEVICE, nothing else is told; for people, a line each" "bind     0000:00:03.0  vfio-pci" \
    "$(cut -d ' ' -f 1-8 events | head -n 1)"
check_equal "nothing but that device" 0 "$(grep -vc 0000:00:03.0 events)"

check_refusal "a glob that matches nothing now is refused" 66 "01:1*" vfioctl watch "01:1*"
check_refusal "a captured host is not followed" 64 --root vfioctl --root / watch
check_refusal "a device that is not there is not followed" 66 ff:00.0 vfioctl watch ff:00.0
vfioctl restore 00:03.0 >/dev/null

# --- readers -----------------------------------------------------------------------------------------------------------

mkfifo pipe
vfioctl watch --verbose --json >pipe 2>messages &
watcher=$!
exec 8<pipe
wait_until 20 grep watching messages >/dev/null
exec 8<&-
ended=0
wait "$watcher" || ended=$?
check_equal "it ends when its reader goes, without waiting for an event" 0 $ended

exec 8<>pipe
vfioctl watch --verbose --json >pipe 2>messages 8<&- &
watcher=$!
wait_until 20 grep watching messages >/dev/null
for _ in $(seq 120); do echo change >/sys/bus/pci/devices/0000:03:00.0/uevent; done
unwatch INT
check_equal "a reader that reads nothing does not keep it from ending" 0 $ended
exec 8<&-

# --- events that come too fast -----------------------------------------------------------------------------------------

# Without privileges, only net.core.rmem_max bytes of events wait.
su guest -c "exec vfioctl watch --verbose --json" >events 2>messages &
watcher=$!
wait_until 20 grep watching messages >/dev/null
sleeper=$(pidof vfioctl)
kill -STOP "$sleeper"
count=0
while [ $count != 2500 ]; do
    echo change >/sys/bus/pci/devices/0000:03:00.0/uevent
    count=$((count + 1))
done
kill -CONT "$sleeper"
check_told "lost events are told" '.action == "overrun" and .address == null'
devices=$(field '.devices | length' vfioctl list --json)
# shellcheck disable=SC2317 # called by wait_until
all_listed() { [ "$(jq -r 'select(.action == "present").address' events 2>/dev/null | sort -u | wc -l)" = "$devices" ]; }
if wait_until 20 all_listed; then listed=yes; else listed=no; fi
check_equal "and every device is listed anew" yes $listed
check_equal "a person is told too" 1 "$(grep -c "some are lost" messages | head -c 1)"
kill -INT "$sleeper"
wait "$watcher" || true
