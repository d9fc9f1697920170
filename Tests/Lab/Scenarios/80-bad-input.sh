# Bad input: one clear sentence, the contract's exit status, nothing changed.

host_state >before

for command in show bind "irq list" inspect "sriov list"; do
    # shellcheck disable=SC2086 # two words
    check_refusal "$command: a device that is not there" 66 09:00.0 vfioctl $command 09:00.0
    # shellcheck disable=SC2086 # two words
    check_refusal "$command: an address that is none" 64 01:00.8 vfioctl $command 01:00.8
    # shellcheck disable=SC2086 # two words
    check_refusal "$command: an interface without a PCI device" 66 lo vfioctl $command lo
done
check_refusal "an interface that is not there" 66 eth99 vfioctl show eth99
check_refusal "a disk that is not there" 66 /dev/sdz vfioctl show /dev/sdz
check_refusal "a disk without a PCI device" 66 /dev/ram0 vfioctl show /dev/ram0
check_refusal "a glob that matches nothing" 66 '42:*' vfioctl show '42:*'
check_refusal "a virtual function that is not there" 66 vf9 vfioctl show eth0:vf9
check_refusal "nothing at all" 64 "" vfioctl show ""
check_refusal "an address with a slot that cannot be" 64 01:20.0 vfioctl show 01:20.0
check_refusal "an address with more behind it" 64 01:00.0x vfioctl show 01:00.0x
check_refusal "a path" 64 ../../etc vfioctl show ../../etc
check_refusal "something very long" 64 "" vfioctl show "$(head -c 5000 /dev/zero | tr '\0' 0)"
check_refusal "control characters are not echoed as they are" 64 "" vfioctl show "$(printf '01:\033[31m')"
check_equal "no escape reaches the terminal" 0 "$(grep -c "$(printf '\033')" "$last_errors" || true)"

check_refusal "more virtual functions than total_vfs" 3 7 vfioctl sriov create eth0 8
check_refusal "a card without SR-IOV" 3 SR-IOV vfioctl sriov create eth1 1
check_refusal "a count that is none" 64 many vfioctl sriov create eth0 many
check_refusal "a negative count" 64 "" vfioctl sriov create eth0 -- -1
check_refusal "a count beyond every number" 64 99999999999999999999 vfioctl sriov create eth0 99999999999999999999
check_refusal "a driver that does not exist" 3 no-such-driver vfioctl bind 03:00.0 --driver no-such-driver
check_refusal "a driver that is a path" 64 ../evil vfioctl bind 03:00.0 --driver ../evil
check_refusal "a group that is not viable, with the member and its driver" 3 "0000:08:03.0 is bound to e1000" vfioctl bind 08:02.0
check_refusal "force without a kind" 64 03:00.0 vfioctl bind 03:00.0 --force 03:00.0
check_refusal "restore of nothing" 64 --all vfioctl restore
check_refusal "--save without --root" 64 --root vfioctl bind 03:00.0 --save /tmp/x
check_refusal "a root that is not there" 66 /no/such vfioctl --root /no/such list
check_status "a command that is none" 64 vfioctl frobnicate
check_status "an option that is none" 64 vfioctl list --frobnicate

# --- Without permission --------------------------------------------------------------------------------------------------

vfioctl bind 00:03.0 >/dev/null
host_state >bound
as_guest() { su guest -c "$*"; }
check_refusal "bind" 77 "ermi" as_guest vfioctl bind 03:00.0
check_refusal "restore" 77 "ermi" as_guest vfioctl restore 00:03.0
check_refusal "sriov create" 77 "ermi" as_guest vfioctl sriov create eth0 1
check_refusal "irq set" 77 "ermi" as_guest vfioctl irq set eth0 --cpus 1
check_refusal "inspect, group" 77 "ermi" as_guest vfioctl inspect 00:03.0 --backend group
check_refusal "inspect, iommufd" 77 "ermi" as_guest vfioctl inspect 00:03.0 --backend iommufd
check_refusal "read" 77 "ermi" as_guest vfioctl read 00:03.0 bar0 0
check_refusal "run" 77 "ermi" as_guest vfioctl run 00:03.0 -- true
check "a dry run needs no permission" as_guest vfioctl bind 03:00.0 --dry-run
check "nor does looking" as_guest vfioctl list
host_state >after
check_same_file "none of it changed anything" bound after
vfioctl restore 00:03.0 >/dev/null
host_state >after
check_same_file "nor did anything before" before after
