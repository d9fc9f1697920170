# Looking: what list, groups and show say of this machine is what lspci and sysfs say of it. Nothing is changed.

devices=/sys/bus/pci/devices
host_state >before

# --- list --------------------------------------------------------------------------------------------------------------

# lspci -vmm: one "Name:<tab>value" a line, devices apart by an empty line; what a device has not, has no line.
lspci_table() {
    lspci -D -vmm "$1" | awk -v RS= -F '\n' -v fields="$2" '{
        split("", value)
        for (i = 1; i <= NF; i++) { split($i, part, ":\t"); value[part[1]] = part[2] }
        line = value["Slot"]
        for (i = 1; i <= split(fields, name, " "); i++)
            line = line "|" (name[i] in value ? value[name[i]] : "-")
        print line
    }'
}
lspci_table -nk "Class Vendor Device Driver IOMMUGroup NUMANode" >lspci-ids
lspci_table -v "Vendor Device" >lspci-names

check_json "list answers one object, named by its schema" vfioctl.list/1 .schema vfioctl list --json
cp "$last_output" list.json
jq -r '.devices[] | [.address, .class_id[:4], .vendor_id, .device_id, .driver // "-", .iommu_group // "-",
    .numa_node // "-"] | map(tostring) | join("|")' list.json >list-ids
check_same_file "devices, classes, ids, drivers, groups and nodes are lspci's" lspci-ids list-ids
jq -r '.devices[] | [.address, .vendor // "Vendor \(.vendor_id)", .device // "Device \(.device_id)"] | join("|")' \
    list.json >list-names
check_same_file "so are the names of vendors and devices" lspci-names list-names
check "and revision and subsystem are sysfs's" jq -e --arg revision "$(cat $devices/0000:01:00.0/revision)" \
    --arg vendor "$(cat $devices/0000:01:00.0/subsystem_vendor)" \
    '.devices[] | select(.address == "0000:01:00.0") |
     "0x" + .revision == $revision and "0x" + .subsystem_vendor_id == $vendor' list.json

check_json "igb can have seven virtual functions and has none" "7 0 0" \
    '.devices[] | select(.address == "0000:01:00.0").sriov | "\(.total_vfs) \(.num_vfs) \(.vfs | length)"' cat list.json
check_json "edu has no driver, no override, no NUMA node, no SR-IOV: null" "null null null null" \
    '.devices[] | select(.address == "0000:00:03.0") | "\(.driver) \(.driver_override) \(.numa_node) \(.sriov)"' cat list.json
check_json "the mounted disk is in use, and by what" mount \
    '[.devices[] | select(.address == "0000:06:00.0").in_use[].by] | unique | join(" ")' cat list.json
check_output "the table has the same devices" "$(wc -l <lspci-ids) devices" sh -c '
    vfioctl list | grep -c "^[0-9a-f]*:[0-9a-f]*:[0-9a-f]*\.[0-7] " | sed "s/$/ devices/"'
check_json "--driver keeps those of one driver" "0000:03:00.0 0000:81:00.0" '[.devices[].address] | join(" ")' \
    vfioctl list --json --driver e1000e
check_json "--class keeps those of one class" 5 '.devices | length' vfioctl list --json --class 0200
check_json "--group keeps the members of one group" "0000:04:00.0 0000:04:00.1" '[.devices[].address] | join(" ")' \
    vfioctl list --json --group "$(basename "$(readlink $devices/0000:04:00.0/iommu_group)")"
check_json "--vfs keeps virtual functions, of which there are none" 0 '.devices | length' vfioctl list --vfs --json
compare_times "list against lspci -nnk on $(jq '.devices | length' list.json) devices" "vfioctl list" "lspci -nnk"

# --- groups ------------------------------------------------------------------------------------------------------------

for group in $(ls /sys/kernel/iommu_groups | sort -n); do
    echo "$group: $(ls "/sys/kernel/iommu_groups/$group/devices" | tr '\n' ' ')"
done >sysfs-groups
check_json "groups answers one object, named by its schema" vfioctl.groups/1 .schema vfioctl groups --json
cp "$last_output" groups.json
jq -r '.groups | sort_by(.id)[] | "\(.id): \(.devices | map(. + " ") | add)"' groups.json >list-groups
check_same_file "groups and their members are sysfs's" sysfs-groups list-groups
check_json "the group behind the bridge is not viable: e1000 has a member" "false 0000:08:03.0 is bound to e1000" \
    '.groups[] | select(.devices | index("0000:08:01.0")) | "\(.viable) \(.reasons | join(", "))"' cat groups.json
check_json "edu's group is viable" "true 0" \
    '.groups[] | select(.devices | index("0000:00:03.0")) | "\(.viable) \(.reasons | length)"' cat groups.json
check_json "reserved regions are told: the MSI window" "0xfee00000-0xfeefffff" \
    '.groups[] | select(.devices | index("0000:00:03.0")).reserved[] | select(.type == "msi") | "\(.start)-\(.end)"' \
    cat groups.json
check_output "for people the reason stands beside the group" "not viable: 0000:08:03.0 is bound to e1000" vfioctl groups
check_output "--explain shows the reserved regions" 0xfee00000-0xfeefffff vfioctl groups --explain

# --- show --------------------------------------------------------------------------------------------------------------

check_output "show names the device" "82576 Gigabit Network Connection" vfioctl show 01:00.0
check_output "and its virtual functions" "0 of 7 virtual functions" vfioctl show 01:00.0
check_output "and who shares its group" "with 0000:07:00.0, 0000:08:02.0, 0000:08:03.0" vfioctl show 08:01.0
for name in 01:00.0 0000:01:00.0 eth0; do
    check_json "a device is found as $name" 0000:01:00.0 '.devices[].address' vfioctl show $name --json
done
check_json "as a disk" 0000:02:00.0 '.devices[].address' vfioctl show /dev/nvme0n1 --json
check_json "as the disk of a virtio device" 0000:06:00.0 '.devices[].address' vfioctl show /dev/vda --json
check_json "as the interface of a virtio device" 0000:05:00.0 '.devices[].address' \
    vfioctl show "$(ls $devices/0000:05:00.0/virtio*/net)" --json
check_json "and by a glob" "0000:04:00.0 0000:04:00.1" '[.devices[].address] | join(" ")' vfioctl show '04:00.*' --json

# --- check -------------------------------------------------------------------------------------------------------------

check_json "this host is ready" "vfioctl.check/1 true" '"\(.schema) \(.ready)"' vfioctl check --json
check_json "no finding says otherwise, each has its evidence" 0 \
    '[.findings[] | select(.level == "failure" or .evidence == "" or .evidence == null)] | length' vfioctl check --json
check_output "the IOMMU is among the findings" IOMMU vfioctl check
check "edu is ready" vfioctl check 00:03.0
check_status "the mounted disk is not" 1 vfioctl check 06:00.0
check_output "and what uses it is said" vda cat "$last_output"
check_status "nor is a device whose group is not viable" 1 vfioctl check 08:01.0
check_output "and who spoils it is said" e1000 cat "$last_output"

# --- as anyone, and from a directory -----------------------------------------------------------------------------------

vfioctl list --json | jq 'del(.devices[].in_use, .devices[].unseen, .notes)' >as-root.json
su guest -c "vfioctl list --json" | jq 'del(.devices[].in_use, .devices[].unseen, .notes)' >as-guest.json
check_same_file "an unprivileged user sees the same devices" as-root.json as-guest.json
vfioctl list --json >live.json
vfioctl --root / list --json >captured.json
check_same_file "a directory is read the same way as the machine itself" live.json captured.json

host_state >after
check_same_file "looking changed nothing" before after
