# shellcheck shell=sh
# What scenarios are written with. Each check has a title, which is how it is reported; then come the expectation and the
# command, which runs as it stands. A check that does not hold is reported with what was expected, what was seen and the
# kernel's last words; the scenario goes on.
#
#     check TITLE COMMAND…                         it exits with 0
#     check_status TITLE STATUS COMMAND…           it exits with STATUS
#     check_output TITLE TEXT COMMAND…             it exits with 0 and prints TEXT somewhere
#     check_refusal TITLE STATUS TEXT COMMAND…     it exits with STATUS, prints nothing on standard output, and on standard error
#                                                  one sentence, which contains TEXT
#     check_json TITLE VALUE JQ COMMAND…           it exits with 0 and the jq expression of its output is VALUE
#     check_outcome TITLE OUTCOME COMMAND…         with --json, a change's outcome is OUTCOME, and its exit status goes with it
#     check_refused_by TITLE KINDS COMMAND…        with --json, a change is refused for these kinds of users ("address route")
#     check_equal TITLE EXPECTED SEEN              two texts are the same
#     check_same_file TITLE EXPECTED SEEN          two files are the same
#     check_attribute TITLE FILE VALUE             a file of sysfs or procfs reads VALUE
#     check_driver TITLE ADDRESS DRIVER            a device's driver is DRIVER, "none" for none
#     check_missing TITLE PATH                     a path is not there
#
#     hand_over NAME FILE                          a scenario that comes "after" this one has FILE as /lab/handed/NAME
#
# Besides: compare_times (a figure, not a check), wait_until, host_state, driver_of, interrupts_of, is_open, field (a jq
# expression of a command's output).

# The command's output and status of the last check, for a scenario that wants to look closer.
last_output=/dev/null
last_errors=/dev/null
last_status=0

report_success() {
    printf 'passed %s\n' "$1"
}

# report_failure TITLE DETAIL…
report_failure() {
    printf 'failed %s\n' "$1"
    shift
    for detail in "$@"; do printf '%s\n' "$detail" | sed 's/^/| /'; done
    dmesg | tail -n 12 | sed 's/^/|   /' >/tmp/kernel-log
    if cmp -s /tmp/kernel-log /tmp/kernel-log-reported; then
        printf '| the kernel has said nothing since the failure above\n'
    else
        printf '| the kernel said last:\n'
        cat /tmp/kernel-log
        mv /tmp/kernel-log /tmp/kernel-log-reported
    fi
}

# run_command COMMAND…: fills last_*. Two pairs of files take turns: the command may be one that looks at the last output.
run_command() {
    case $last_output in
    *.1) turn=2 ;;
    *) turn=1 ;;
    esac
    last_status=0
    "$@" >"$SCENARIO_DIR/output.$turn" 2>"$SCENARIO_DIR/errors.$turn" </dev/null || last_status=$?
    last_output=$SCENARIO_DIR/output.$turn last_errors=$SCENARIO_DIR/errors.$turn
    : >"$SCENARIO_DIR/checked"
}

# verdict TITLE EXPECTATION HELD COMMAND…
verdict() {
    title=$1 expectation=$2 held=$3
    shift 3
    if [ "$held" = yes ]; then
        report_success "$title"
    else
        report_failure "$title" "expected: $expectation" "command:  $*" "exit status: $last_status" \
            "standard output:" "$(head -c 3000 "$last_output" | sed 's/^/  /')" \
            "standard error:" "$(head -c 3000 "$last_errors" | sed 's/^/  /')"
    fi
}

check() {
    title=$1
    shift
    run_command "$@"
    if [ "$last_status" = 0 ]; then held=yes; else held=no; fi
    verdict "$title" "exit status 0" "$held" "$@"
}

check_status() {
    title=$1 status=$2
    shift 2
    run_command "$@"
    if [ "$last_status" = "$status" ]; then held=yes; else held=no; fi
    verdict "$title" "exit status $status" "$held" "$@"
}

check_output() {
    title=$1 text=$2
    shift 2
    run_command "$@"
    if [ "$last_status" = 0 ] && grep -F -e "$text" "$last_output" >/dev/null; then held=yes; else held=no; fi
    verdict "$title" "exit status 0 and output containing '$text'" "$held" "$@"
}

check_refusal() {
    title=$1 status=$2 text=$3
    shift 3
    run_command "$@"
    held=yes
    [ "$last_status" = "$status" ] || held=no
    [ ! -s "$last_output" ] || held=no
    [ "$(grep -c . "$last_errors")" = 1 ] || held=no
    grep -F -e "$text" "$last_errors" >/dev/null || held=no
    verdict "$title" "exit status $status and one sentence containing '$text'" "$held" "$@"
}

check_json() {
    title=$1 value=$2 expression=$3
    shift 3
    run_command "$@"
    held=no
    seen=$(jq -r "$expression" "$last_output" 2>&1) || true
    if [ "$last_status" = 0 ] && [ "$seen" = "$value" ]; then held=yes; fi
    verdict "$title" "exit status 0 and '$value' for $expression, which is '$seen'" "$held" "$@"
}

check_outcome() {
    title=$1 outcome=$2
    shift 2
    case $outcome in
    planned | done | unchanged) status=0 ;;
    refused) status=3 ;;
    rolled_back) status=4 ;;
    incomplete) status=5 ;;
    esac
    run_command "$@" --json
    held=no
    if [ "$last_status" = "$status" ] && grep -F "\"outcome\":\"$outcome\"" "$last_output" >/dev/null; then held=yes; fi
    verdict "$title" "exit status $status and outcome $outcome" "$held" "$@" --json
}

check_refused_by() {
    title=$1 kinds=$2
    shift 2
    run_command "$@" --json
    held=no
    seen=$(jq -r '.outcome + " by " + ([.refusals[].by] | unique | join(" "))' "$last_output" 2>&1) || true
    if [ "$last_status" = 3 ] && [ "$seen" = "refused by $kinds" ]; then held=yes; fi
    verdict "$title" "exit status 3, refused by $kinds" "$held" "$@" --json
}

check_equal() {
    : >"$SCENARIO_DIR/checked"
    if [ "$2" = "$3" ]; then
        report_success "$1"
    else
        report_failure "$1" "expected: $2" "seen:     $3"
    fi
}

check_same_file() {
    : >"$SCENARIO_DIR/checked"
    if difference=$(diff -U 1 "$2" "$3"); then
        report_success "$1"
    else
        report_failure "$1" "$2 (-) and $3 (+) differ:" "$difference"
    fi
}

check_attribute() {
    check_equal "$1" "$3" "$(cat "$2" 2>&1)"
}

check_driver() {
    check_equal "$1" "$3" "$(driver_of "$2")"
}

check_missing() {
    : >"$SCENARIO_DIR/checked"
    if [ ! -e "$2" ] && [ ! -L "$2" ]; then
        report_success "$1"
    else
        report_failure "$1" "expected: $2 is not there" "seen:     it is"
    fi
}

driver_of() {
    link=/sys/bus/pci/devices/$1/driver
    if [ -L "$link" ]; then basename "$(readlink "$link")"; else echo none; fi
}

hand_over() {
    sed "s/^/handed $1 /" "$2"
}

# interrupts_of ADDRESS FILE: what that file of /proc/irq reads for the device's vectors, each answer once.
interrupts_of() {
    (cd "/sys/bus/pci/devices/$1/msi_irqs" && for irq in *; do cat "/proc/irq/$irq/$2"; done) | sort -u | paste -s -d ' ' -
}

# is_open ADDRESS: a process has it, or its group, open through VFIO.
is_open() {
    vfioctl show "$1" --json | grep -F '"by":"vfio"' >/dev/null
}

# busybox's shell prefers its own applet, which knows no soft dependencies.
modprobe() {
    /sbin/modprobe "$@"
}

# field JQ COMMAND…
field() {
    expression=$1
    shift
    "$@" | jq -r "$expression"
}

# In hundredths of a second, as the kernel prints it; no process is started for it.
uptime_now() {
    read -r now _ </proc/uptime
    now=${now%.*}${now#*.}
}

# compare_times TITLE ONE OTHER: reports how long two commands take, started by name, in turns of five runs: /proc/uptime counts
# in 10 ms. The times are an emulator's and nothing hangs on them.
compare_times() {
    first=0 second=0 turn=0
    while [ $turn != 3 ]; do
        turn=$((turn + 1))
        uptime_now
        began=$now
        for _ in 1 2 3 4 5; do $2; done >/dev/null
        uptime_now
        first=$((first + now - began)) began=$now
        for _ in 1 2 3 4 5; do $3; done >/dev/null
        uptime_now
        second=$((second + now - began))
    done
    awk -v title="$1" -v first=$first -v second=$second 'BEGIN {
        printf "%s: %.2f s / %.2f s for %d runs, ratio %.2f\n", title, first / 100, second / 100, 15, first / second }'
}

# wait_until SECONDS COMMAND…: until COMMAND succeeds; fails when it never did.
wait_until() {
    uptime_now
    deadline=$((now + $1 * 100))
    shift
    while ! "$@"; do
        uptime_now
        [ "$now" -lt "$deadline" ] || return 1
        usleep 20000
    done
}

# Everything that vfioctl may change and has to give back, one attribute a line. Interrupts go by device and position, not by
# their number: igb frees and takes new ones whenever virtual functions come or go. One that never had a handler has no files
# yet; it would begin with the default, both CPUs.
host_state() (
    # What is not there is no line here, and no reason to stop.
    set +e
    # A handful of processes for all devices together: an emulated CPU takes milliseconds to start one.
    {
        ls -l -d /sys/bus/pci/devices/*/driver | awk '{ sub(".*/", "", $NF); print $(NF - 2) ":" $NF }'
        (
            cd /sys/bus/pci/devices || exit
            grep -H . ./*/driver_override ./*/numa_node ./*/enable ./*/sriov_numvfs ./*/sriov_drivers_autoprobe \
                ./*/net/*/flags ./*/net/*/address
        )
        {
            # "ADDRESS IRQ" for each vector, then "IRQ:AFFINITY".
            ls -d /sys/bus/pci/devices/*/msi_irqs/* | awk -F / '{ print $6, $8 }' | sort -k 1,1 -k 2,2n
            (cd /proc/irq && grep -H . ./*/smp_affinity_list)
        } | awk '
            NF == 2 { address[++count] = $1; irq[count] = $2 }
            NF == 1 { split($0, part, /[\/:]/); affinity[part[2]] = part[4] }
            END {
                for (i = 1; i <= count; i++)
                    print address[i] " vector " vector[address[i]]++ + 0 " affinity " (irq[i] in affinity ? affinity[irq[i]] : "0-1")
            }'
        (cd /sys/kernel/iommu_groups && grep -H . ./*/type && ls -d ./*/devices/*)
    } | sed 's,^\./,,; s,^/sys/bus/pci/devices/,,' | sort
)
