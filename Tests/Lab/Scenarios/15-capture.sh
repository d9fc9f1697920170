# A capture is the host for everyone who looks: every reading command and every plan answers the same from it as live, as any
# user; redacted, nothing in it says which machine it was; hostile ones are harmless.

host_state >before
# What belongs to whom, to be found again in a capture, and not to be found in a redacted one.
own_name=$(hostname)
hostname private-host.example
ip addr add 192.0.2.77/24 dev eth1
/usr/bin/ip addr add 2001:db8:77::77/64 dev eth1 nodad
ip link set eth1 up
ip route add 198.51.100.0/24 via 192.0.2.254 dev eth1
modprobe dm-mod
echo "0 8192 linear /dev/nvme0n1 0" | dmsetup create private-host-data --uuid LVM-privateuniqueid0123456789

check_json "a capture answers where it is" "vfioctl.capture/1 false" '"\(.schema) \(.redacted)"' \
    vfioctl capture capture --json
check_json "and how much of it there is" "$(find capture -type f ! -name .empty | wc -l)" .files cat "$last_output"
check_equal "it is for everybody to read, and for its owner to write" "755 644" \
    "$(find capture -type d -exec stat -c %a {} + | sort -u) $(find capture -type f -exec stat -c %a {} + | sort -u)"
check_output "a few hundred files are all of this host" small sh -c \
    'test "$(find capture -type f | wc -l)" -lt 2000 && test "$(cat $(find capture -type f) | wc -c)" -lt 1000000 && echo small'

# same TITLE SUBJECT COMMAND…: the command answers the same live and from the capture. What this
# process may open is not captured: it is this process's own.
same() {
    title=$1
    shift
    vfioctl "$@" --json >live.json || true
    vfioctl --root capture "$@" --json >captured.json || true
    for file in live.json captured.json; do
        jq 'del(.findings[]? | select(.id == "access"))' $file >$file.kept
    done
    check_same_file "$title" live.json.kept captured.json.kept
}

same "list is the same" list
same "with identities" list --stable
same "groups, and why they are as they are" groups --explain
same "what is ready" check
same "everything that is known of every device" show '*:*'
check_equal "which are all of them" "$(find /sys/bus/pci/devices/* -maxdepth 0 | wc -l)" "$(jq '.devices | length' captured.json)"
for path in /sys/bus/pci/devices/*/msi_irqs; do
    device=$(basename "$(dirname "$path")")
    vfioctl irq list "$device" --json >>live-interrupts
    vfioctl --root capture irq list "$device" --json >>captured-interrupts
done
check_same_file "the interrupts of every device that has some" live-interrupts captured-interrupts
plans() {
    for change in "bind 00:03.0" "bind eth1" "bind 02:00.0" "bind 08:01.0" "sriov create eth0 3 --driver vfio-pci" \
        "sriov create 02:00.0 2" "sriov destroy eth0" "irq set eth1 --cpus 1" "restore --all"; do
        # shellcheck disable=SC2086 # words
        vfioctl "$@" $change --dry-run --json || echo "status $?"
    done
}
plans >live-plans
plans --root capture >captured-plans
check_same_file "every plan" live-plans captured-plans
check_outcome "and the simulated kernel runs one" done vfioctl --root capture sriov create eth0 3 --driver vfio-pci
check "a capture of the capture" vfioctl --root capture capture again
# Names, links, and what is in files.
contents() { (cd "$1" && find . -type l -exec sh -c 'echo "$1 -> $(readlink "$1")"' - {} \; && find . -type f -exec sha256sum {} +) | sort; }
contents capture >one
contents again >other
check_same_file "is the same" one other

# --- as anyone -----------------------------------------------------------------------------------------------------------

for file in list.json groups.json; do
    vfioctl --root capture "${file%.json}" --json >"$file"
    su guest -c "vfioctl --root $PWD/capture ${file%.json} --json" >"guest-$file"
    check_same_file "another user reads the same ${file%.json}" "$file" "guest-$file"
done
mkdir -m 777 open
check "an unprivileged user captures what that user may see" su guest -c "vfioctl capture $PWD/open/guest"
for question in "list" "groups --explain" "show 00:03.0" "show eth1" "show 02:00.0"; do
    # The kernel's own threads come and go.
    su guest -c "vfioctl $question --json" | sed 's/files of [0-9]* process/files of N process/g' >live.json
    # shellcheck disable=SC2086 # words
    vfioctl --root open/guest $question --json | sed 's/files of [0-9]* process/files of N process/g' >captured.json
    check_same_file "$question: root reads that capture as its maker saw the host" live.json captured.json
done
check_output "what was not permitted is told as that" "not permitted to look" vfioctl --root open/guest show 00:03.0

# --- only into a new directory -------------------------------------------------------------------------------------------

mkdir there
ln -s nowhere dangling
for place in there capture dangling /dev/null; do
    check_refusal "not into $place" 3 "there already" vfioctl capture $place
done
check_missing "nothing was made" nowhere
check_equal "nor put into what was there" "" "$(ls there)"
check_refusal "nor where its parent is not" 3 "no/such" vfioctl capture no/such/place
check_refusal "nor where this user may not" 77 "ermi" su guest -c "vfioctl capture /root/place"
mkdir small
mount -t tmpfs -o size=64k tmpfs small
check_refusal "a disk that is full ends it" 74 "No space left" vfioctl capture small/capture
check_equal "and nothing is left on it" "" "$(ls small)"
umount small

# --- redacted ------------------------------------------------------------------------------------------------------------

check_json "redacted" true .redacted vfioctl capture redacted --redact --json
vfioctl list --json >live.json
vfioctl --root redacted list --json >redacted.json
summary='[.devices[] | [.address, .driver, .iommu_group, .numa_node, .interfaces, .block_devices, [.in_use[].by]]]'
jq "$summary" live.json >live-summary
jq "$summary" redacted.json >redacted-summary
check_same_file "the same devices, used by the same" live-summary redacted-summary
vfioctl groups --explain --json >live.json
vfioctl --root redacted groups --explain --json >captured.json
check_same_file "groups are the same" live.json captured.json
# Whatever is in the capture, text or not, and in its names: this is what it must not have.
for interface in /sys/class/net/eth*; do cat "$interface/address"; done >secrets
tr -d : <secrets >bare
cat bare >>secrets
cat >>secrets <<SECRETS
192.0.2.77
192.0.2.254
198.51.100.0
2001:db8:77
private-host
privateuniqueid
$(cat /sys/class/nvme/nvme0/serial)
SECRETS
{
    find redacted | sed 's/^/name /'
    find redacted -type l -exec readlink {} \;
    find redacted -type f -exec cat {} +
} | tr '\0' '\n' >everything
find redacted -type f -exec cat {} + | xxd -p | tr -d '\n' >everything-hex
found=
while read -r secret; do
    case $secret in '' | 00:00:00:00:00:00 | 000000000000) continue ;; esac
    if grep -i -a -F -q -e "$secret" everything; then found="$found $secret"; fi
done <secrets
check_equal "no MAC, address, serial number or host name is in it as text" "" "$found"
found=
for bytes in $(cat bare) c000024d c00002fe c6336400 20010db8007700000000000000000077 020000ffff005452; do
    if [ "$bytes" != 000000000000 ] && grep -q "$bytes" everything-hex; then found="$found $bytes"; fi
done
check_equal "nor as bytes: in netlink's dumps and configuration space" "" "$found"
check_equal "they are in the one that is not redacted" found "$(find capture -type f -exec cat {} + | xxd -p | tr -d '\n' |
    grep -q "$(head -n 1 bare)" && echo found)"

# --- hostile captures ----------------------------------------------------------------------------------------------------

# hostile TITLE: every reading command of the damaged copy ends soon, with one of the contract's statuses, and tells no secret.
echo "private-secret" >/root/secret
hostile() {
    bad=
    for command in "list" "groups --explain" "show *:*" "check" "irq list 01:00.0" "bind 00:03.0 --dry-run" "capture copied"; do
        rm -rf copied
        status=0
        # shellcheck disable=SC2086 # words
        timeout 20 vfioctl --root hostile $command >hostile.out 2>hostile.err </dev/null || status=$?
        case $status:$command in
        0:* | 1:* | 3:* | 66:*) ;;
        # What does not read back as it was read is not left behind: a pipe in a device's place is such a thing.
        74:capture*) if [ -e copied ]; then bad="$bad $command-left"; fi ;;
        *) bad="$bad $command=$status" ;;
        esac
        if grep -a -q -e private-secret -e "$(printf '\033')" hostile.out hostile.err; then bad="$bad $command-told"; fi
        # Files alone: grep would follow a link out of the copy.
        if [ -e copied ] && [ -n "$(find copied -type f -exec grep -a -l private-secret {} +)" ]; then bad="$bad $command-copied"; fi
    done
    check_equal "$1" "" "$bad"
}
damaged() {
    rm -rf hostile
    cp -a capture hostile
}
bus=hostile/sys/bus/pci/devices

damaged
rm $bus/0000:00:03.0/uevent && mkfifo $bus/0000:00:03.0/uevent
rm $bus/0000:00:04.0/uevent && mknod $bus/0000:00:04.0/uevent c 1 5
rm $bus/0000:03:00.0/uevent && ln -s /root/secret $bus/0000:03:00.0/uevent
rm $bus/0000:04:00.0/uevent && ln -s ../../../../../../../../root/secret $bus/0000:04:00.0/uevent
rm $bus/0000:04:00.1/uevent && ln -s uevent $bus/0000:04:00.1/uevent
truncate -s 1000000000000 $bus/0000:05:00.0/uevent
printf '\033[31mred\nDRIVER=\033[2J\n' >$bus/0000:06:00.0/uevent
rm $bus/0000:01:00.0/config && mkfifo $bus/0000:01:00.0/config
rm $bus/0000:02:00.0/config && mknod $bus/0000:02:00.0/config c 1 8
rm hostile/proc/cpuinfo && ln -s /proc/self/environ hostile/proc/cpuinfo
rm hostile/proc/cmdline && ln -s /root/secret hostile/proc/cmdline
truncate -s 1000000000000 hostile/netlink/link
truncate -s 1000000000000 hostile/proc/swaps
hostile "pipes, devices, endless files, circles and links to a secret in files' places"

damaged
rm $bus/0000:00:03.0 && mkfifo $bus/0000:00:03.0
rm $bus/0000:03:00.0 && ln -s / $bus/0000:03:00.0
rm $bus/0000:05:00.0 && ln -s /sys/bus/pci/devices/0000:05:00.0 $bus/0000:05:00.0
rm -rf hostile/sys/class/net && ln -s /sys/class/net hostile/sys/class/net
rm -rf hostile/sys/kernel/iommu_groups && ln -s iommu_groups hostile/sys/kernel/iommu_groups
rm -rf hostile/proc/self && ln -s /proc/self hostile/proc/self
hostile "the same in directories' places"

damaged
rm -rf hostile/sys hostile/proc && ln -s /sys hostile/sys && ln -s /proc hostile/proc
hostile "the machine's own sysfs and procfs in the place of the capture's"
check_refusal "which are not reached" 3 "/sys/bus/pci/devices" vfioctl --root hostile list
rm -rf hostile copied

# --- gone again ----------------------------------------------------------------------------------------------------------

dmsetup remove private-host-data
rmmod dm-mod
ip route flush dev eth1
ip -6 addr flush dev eth1
ip addr flush dev eth1
ip link set eth1 down
hostname "$own_name"
rm -rf capture again redacted open /root/secret
host_state >after
check_same_file "capturing changed nothing" before after
