# Is this host ready? Every finding that this machine can be brought to show, and back: permissions, memory, rivals, KVM.

devices=/sys/bus/pci/devices
host_state >before

# finding ID FIELD: a jq expression: what the first finding of that name says.
finding() {
    printf '[.findings[] | select(.id == "%s")][0].%s' "$1" "$2"
}

# check_finding TITLE ID LEVEL TEXT COMMAND…: a finding has that level, and TEXT in its evidence, whatever the whole answer is.
check_finding() {
    title=$1 id=$2 level=$3 text=$4
    shift 4
    run_command "$@"
    held=no
    if jq -e --arg id "$id" --arg level "$level" --arg text "$text" \
        'any(.findings[]; .id == $id and .level == $level and (.evidence | contains($text)))' "$last_output" >/dev/null
    then held=yes; fi
    verdict "$title" "$id, $level, with '$text' in its evidence" "$held" "$@"
}

# What an unprivileged user is told.
as_guest() {
    su guest -c "$*"
}

# --- what the kernel and the firmware say ------------------------------------------------------------------------------

check_json "every failure has its cure, every finding its evidence" 0 \
    '[.findings[] | select(.evidence == "" or (.level == "failure" and .cure == null))] | length' \
    vfioctl check --json --memory 64M
check_finding "translation is what the groups' files say" translation ok \
    "$(cat /sys/kernel/iommu_groups/*/type | sort | uniq -c | awk '{ print $1 " groups " $2 }')" vfioctl check --json
check_finding "interrupts are remapped" interrupt-remapping ok "IR-" vfioctl check --json
check_finding "the emulated IOMMU posts none, as its register says" posted-interrupts note \
    "bit 59 of /sys/class/iommu/dmar0/intel-iommu/cap is 0" vfioctl check --json
check_equal "and so it does" 0 "$((0x$(cat /sys/class/iommu/dmar0/intel-iommu/cap) >> 59 & 1))"
check_finding "nothing gives out devices without an IOMMU" noiommu ok "VFIO" vfioctl check --json
check_finding "the machine was started by a BIOS" secure-boot ok "not started by UEFI" vfioctl check --json

mount -t securityfs securityfs /sys/kernel/security
if [ -e /sys/kernel/security/lockdown ]; then
    check_finding "the kernel is not locked down" lockdown ok "$(cat /sys/kernel/security/lockdown)" vfioctl check --json
else
    check_finding "the kernel has no lockdown" lockdown ok "no sign" vfioctl check --json
fi
umount /sys/kernel/security

check_finding "KVM is not loaded, and can be" kvm note "kvm_amd is not loaded" vfioctl check --json
modprobe kvm-amd
check_finding "once it is, it is there" kvm ok /dev/kvm vfioctl check --json
check_finding "and whether guests may have guests is what its parameter says" nested \
    "$(case $(cat /sys/module/kvm_amd/parameters/nested) in 1 | Y) echo ok ;; *) echo note ;; esac)" \
    "/sys/module/kvm_amd/parameters/nested" vfioctl check --json
chmod 600 /dev/kvm
check_finding "who may not open it is told" kvm warning "this user may not open /dev/kvm (0600 0:0)" \
    as_guest vfioctl check --json
modprobe -r kvm-amd kvm

# --- the nodes ---------------------------------------------------------------------------------------------------------

modprobe vfio-pci
modprobe vfio_iommu_type1
check_finding "the container is for everyone" node-permissions ok "/dev/vfio/vfio is $(stat -c '0%a %u:%g' /dev/vfio/vfio)" \
    vfioctl check --json
check_finding "an unprivileged user may not open iommufd, and is told" access warning /dev/iommu as_guest vfioctl check --json

chmod 600 /dev/vfio/vfio
mkdir -p /etc/udev/rules.d /run/tmpfiles.d
printf '# ours\nKERNEL=="vfio", SUBSYSTEM=="misc", MODE="0666"\n' >/etc/udev/rules.d/70-vfio.rules
printf 'd /dev/vfio 0755 - - -\nc! /dev/vfio/vfio 0600 - - - 10:196\n' >/run/tmpfiles.d/static-nodes.conf
check_finding "a container for root alone is a warning, with the rule that says otherwise" node-permissions warning \
    "/dev/vfio/vfio is 0600 0:0, though /etc/udev/rules.d/70-vfio.rules:2 sets MODE 0666" vfioctl check --json
check_finding "and the line that made it so" node-permissions warning "/run/tmpfiles.d/static-nodes.conf:2 makes it 0600" \
    vfioctl check --json
check_finding "and who is kept out is told" access warning "this user may not open /dev/vfio/vfio" as_guest vfioctl check --json
check "it is still ready: root can" vfioctl check
rm -r /etc/udev /run/tmpfiles.d
chmod 666 /dev/vfio/vfio

vfioctl bind 00:03.0 >/dev/null
group=$(field '.devices[] | select(.address == "0000:00:03.0").vfio.group' vfioctl list --json)
cdev=$(field '.devices[] | select(.address == "0000:00:03.0").vfio.cdev' vfioctl list --json)
check_finding "a device's own nodes are told as stat tells them" device-node ok \
    "$group is $(stat -c '0%a %u:%g' "$group") (no udev rule sets it); $cdev is $(stat -c '0%a %u:%g' "$cdev")" \
    vfioctl check 00:03.0 --json
vfioctl restore 00:03.0 >/dev/null

# --- a guest's memory --------------------------------------------------------------------------------------------------

check_refusal "a size without a meaning is refused" 64 --memory vfioctl check --memory 64X
check_finding "root may pin what a guest needs" memlock-group ok "a guest of 64M may pin 1088M" vfioctl check --memory 64M --json
check_finding "by iommufd too" memlock-iommufd ok CAP_IPC_LOCK vfioctl check --memory 64M --json
check_status "another user may not, and is not ready" 1 as_guest vfioctl check --memory 64M --json
check_json "for both interfaces, each with its cure" "memlock-group memlock-iommufd" \
    '[.findings[] | select(.level == "failure" and .cure != null).id] | join(" ")' cat "$last_output"
check_finding "a limit that the user may raise is no failure" memlock-group warning "may pin 8M" \
    sh -c 'ulimit -H -l unlimited; su guest -c "ulimit -S -l 8192; vfioctl check --memory 64M --json"'
check_status "more than the host has is not ready" 1 vfioctl check --memory 64G --json
check_finding "and why" guest-memory failure "MemTotal" cat "$last_output"

limit=/sys/module/vfio_iommu_type1/parameters/dma_entry_limit
standard=$(cat $limit)
check_finding "a container's mappings are enough for a small guest" dma-entries ok "$standard mappings ($limit)" \
    vfioctl check --memory 64M --json
echo 1000 >$limit
check_finding "and not page by page once they are few" dma-entries note "it would take 16384" vfioctl check --memory 64M --json
echo 10 >$limit
check_finding "nor in large pieces" dma-entries warning "too few for 64M in pieces of 2M (32)" vfioctl check --memory 64M --json
echo "$standard" >$limit

pages=/sys/devices/system/node/node%d/hugepages/hugepages-2048kB/nr_hugepages
# shellcheck disable=SC2059 # the path is the format
near=$(printf "$pages" 1) far=$(printf "$pages" 0)
check_finding "no huge pages are reserved" huge-pages note "none are reserved" vfioctl check --json
echo 8 >"$near"
check_finding "those reserved since are told, by node" huge-pages ok "node 1 has 8 of 8 free, of 2M each" vfioctl check --json
check_finding "they hold a small guest near its card" huge-pages ok "16M fits into the free pages of 2M on node 1" \
    vfioctl check 81:00.0 --memory 16M --json
check_finding "a larger one not" huge-pages warning "do not hold 32M" vfioctl check 81:00.0 --memory 32M --json
cure=$(jq -r "$(finding huge-pages cure)" "$last_output")
check_equal "the cure is the command that helps" "echo 16 > $near" "${cure%%,*}"
echo 32 >"$far"
check_finding "pages on the other node are no help" huge-pages warning "though those of all nodes together do" \
    vfioctl check 81:00.0 --memory 32M --json
sh -c "${cure%%,*}"
check_finding "the command does help" huge-pages ok "32M fits" vfioctl check 81:00.0 --memory 32M --json
echo 0 >"$near"
echo 0 >"$far"

# --- the devices -------------------------------------------------------------------------------------------------------

bridge=$(basename "$(dirname "$(readlink $devices/0000:01:00.0)")")
check_finding "all virtual functions have bus numbers" device-vf-buses ok \
    "all 7 of its virtual functions have bus numbers, the last 01: $bridge leads to buses up to 01" vfioctl check eth0 --json
vfioctl sriov create eth0 7 >/dev/null
check_equal "and the last one has the bus that was foretold" 0000:01 \
    "$(basename "$(readlink $devices/0000:01:00.0/virtfn6)" | cut -d : -f 1-2)"
vfioctl sriov destroy eth0 >/dev/null
check_finding "the node of a card is told" device-numa ok "it is on NUMA node 1" vfioctl check 81:00.0 --json
check_finding "or that it is not known" device-numa note "is -1" vfioctl check 01:00.0 --json

# --- rivals ------------------------------------------------------------------------------------------------------------

check_json "nobody else is at work" "ok ok ok" \
    '[.findings[] | select(.id | endswith("-owner")).level] | join(" ")' vfioctl check --json
mkdir -p /etc/driverctl.d /etc/systemd/network
echo vfio-pci >/etc/driverctl.d/0000:00:03.0
printf '[Match]\nOriginalName=eth0\n\n[Link]\nSR-IOVVirtualFunctions=4\n' >/etc/systemd/network/10-eth0.link
check_finding "driverctl's override of a device is a warning about it" driver-owner warning \
    "driverctl gives 0000:00:03.0 to vfio-pci at every start" vfioctl check 00:03.0 --json
check_finding "so is a number of virtual functions set by a .link file" vf-owner warning \
    "udev sets 4 virtual functions of eth0 (SR-IOVVirtualFunctions at /etc/systemd/network/10-eth0.link:5)" \
    vfioctl check eth0 --json
rm -r /etc/driverctl.d /etc/systemd
mkfifo wake
printf '#!/bin/sh\nread -r _ <wake\n' >irqbalance
chmod 755 irqbalance
./irqbalance &
daemon=$!
mkdir /run/irqbalance
: >"/run/irqbalance/irqbalance$daemon.sock"
check_finding "irqbalance is told by its socket and its process" interrupt-owner warning "process $daemon" vfioctl check --json
echo >wake
wait "$daemon"
check_finding "and no more when only the socket is left" interrupt-owner ok "nobody else" vfioctl check --json
rm -r /run/irqbalance

host_state >after
check_same_file "checking changed nothing" before after
