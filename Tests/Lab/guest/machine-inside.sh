# shellcheck shell=sh
# A virtual machine inside the lab, as a user of vfioctl would start one, and its monitor.
#
#     $small_machine              the arguments that every one of them has; it is not started, so its guest never answers
#     open_monitor                makes a monitor; "-qmp pipe:$monitor" gives it to the QEMU that is started next, $qmp is a
#                                 place for a second one, a socket
#     ask COMMAND [ARGUMENTS]     a QMP command, its arguments as JSON; prints the whole answer
#     tell_monitor LINE           a line of the human monitor
#     monitor_says LINE           the same; prints what it says
#     guest_numbers_buses         what firmware does: the bus behind the port at 00:02.0 gets a number, so the monitor shows it
#     guest_sets_slot VALUE       what a guest's hot-plug driver does: Slot Control of the port at 00:02.0 becomes VALUE
#     close_machine PID           quits the machine and waits for it
#
# The guest's side is played through the monitor: emulated twice over, a guest with an operating system takes
# minutes to boot, and QEMU answers to the registers that it writes, whoever writes them.

# The port's own registers, not ACPI, announce and confirm hot-plug here; disks and network cards are not needed.
# shellcheck disable=SC2034 # for scenarios
small_machine="-machine q35 -accel tcg -m 32 -display none -nodefaults -S
    -global ICH9-LPC.acpi-pci-hotplug-with-bridge-support=off
    -device pcie-root-port,id=slot0,chassis=1,slot=1,bus=pcie.0,addr=0x2"

# Slot Control as a guest leaves it: power and indicators on; or both off, which lets the device go.
# shellcheck disable=SC2034 # for scenarios
slot_in_use=0x1c0 slot_off=0x7c0

open_monitor() {
    monitor=$SCENARIO_DIR/monitor
    rm -f "$monitor".*
    # QEMU may run as another user.
    [ -d "$SCENARIO_DIR/sockets" ] || mkdir -m 777 "$SCENARIO_DIR/sockets"
    # shellcheck disable=SC2034 # for scenarios
    qmp=$SCENARIO_DIR/sockets/qmp
    mkfifo -m 666 "$monitor.in" "$monitor.out"
    : >"$monitor.asked"
    cat "$monitor.out" >"$monitor.answers" &
    # Open both ways, so that asking a QEMU that has died does not block.
    exec 7<>"$monitor.in"
    printf '{"execute":"qmp_capabilities"}\n' >&7
}

ask() {
    echo "$1" >>"$monitor.asked"
    question=$(wc -l <"$monitor.asked")
    printf '{"execute":"%s","arguments":%s,"id":%d}\n' "$1" "${2:-{\}}" "$question" >&7
    wait_until 30 grep "\"id\": $question}" "$monitor.answers" >/dev/null || return 1
    grep "\"id\": $question}" "$monitor.answers"
}

tell_monitor() {
    ask human-monitor-command "{\"command-line\":\"$1\"}" >/dev/null
}

monitor_says() {
    ask human-monitor-command "{\"command-line\":\"$1\"}" | jq -r .return
}

guest_numbers_buses() {
    tell_monitor "o /w 0xcf8 0x80001018"
    tell_monitor "o /w 0xcfc 0x00010100"
}

guest_sets_slot() {
    tell_monitor "o /w 0xcf8 0x8000106c"
    tell_monitor "o /h 0xcfc $1"
}

close_machine() {
    printf '{"execute":"quit"}\n' >&7
    wait "$1"
}
