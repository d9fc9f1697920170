# Why groups are as they are: the rule that is worked out from topology and access controls gives the kernel's own groups, for
# every device and for virtual functions, and the reasons are named.

vfioctl sriov create 01:00.0 2 --driver vfio-pci >/dev/null 2>&1
vfioctl sriov create 02:00.0 2 --driver vfio-pci >/dev/null 2>&1

vfioctl groups --explain --json >groups.json
check_json "every group is worked out, and is the kernel's" computed '[.groups[].explanation.agreement] | unique[]' \
    cat groups.json
check_json "virtual functions among them" 4 \
    '[.groups[] | select(.devices | inside(["0000:01:10.0", "0000:01:10.2", "0000:02:00.1", "0000:02:00.2"]))] | length' \
    cat groups.json
check_json "nothing is unexplained, nothing was left unread" "0 0" \
    '"\([.groups[].explanation.differences[]] | length) \([.groups[].explanation.unread[]] | length)"' cat groups.json
check_json "a device that is alone needs no reason" 0 \
    '[.groups[] | select(.devices | length == 1) | .explanation.causes[], .separate_by[]] | length' cat groups.json

group_with() { jq -c --arg address "$1" '.groups[] | select(.devices | index($address))' groups.json; }
group_with 0000:08:01.0 >bridge.json
check_json "the group behind the PCIe-to-PCI bridge names the bridge" "bridge 0000:07:00.0" \
    '.explanation.causes[] | "\(.cause) \(.via)"' cat bridge.json
check_json "and what it puts together" "0000:08:01.0 0000:08:02.0 0000:08:03.0" \
    '.explanation.causes[0].devices | join(" ")' cat bridge.json
check_output "for people too" "0000:07:00.0 is a PCIe-to-PCI bridge" vfioctl groups --explain
check_json "a guest gets its three endpoints, and not the bridge" "0000:08:01.0 0000:08:02.0 0000:08:03.0" \
    '.together | join(" ")' cat bridge.json
check_json "the free slot that isolates would part them" "slot 0000:00:02.7 7" \
    '.separate_by[] | "\(.way) \(.port) \(.slot)"' cat bridge.json

group_with 0000:04:00.0 >functions.json
check_json "the two functions of edu are one device without ACS" "functions 0000:04:00.0 0000:04:00.1" \
    '.explanation.causes[] | "\(.cause) \(.devices | join(" "))"' cat functions.json
check_output "which is said" "0000:04:00.0, 0000:04:00.1 are functions of one device without ACS" vfioctl groups --explain
check_json "and no slot parts them" device '.separate_by[].way' cat functions.json

# --- a control that is switched off ---------------------------------------------------------------------------------------

# The port's control register, as firmware could have left it. The kernel made its groups at boot: that they are not what the
# registers say now has to be seen, and not explained away.
port=00:02.1
control=$(setpci -s $port ECAP_ACS+6.w)
setpci -s $port ECAP_ACS+6.w=0000
vfioctl groups --explain --json >off.json
check_json "controls that are off do not go with groups that are apart: unexplained" "unexplained unexplained" \
    '[.groups[] | select(.devices | inside(["0000:00:02.1", "0000:02:00.0"])).explanation.agreement] | join(" ")' cat off.json
check_output "and said whose" "by the rule these would be in it as well, and the kernel has them apart: 0000:02:00.0" \
    vfioctl groups --explain
setpci -s $port ECAP_ACS+6.w="$control"

# --- the IOMMU, and who may look -------------------------------------------------------------------------------------------

check_json "every group has its IOMMU, with 48-bit addresses" "dmar0 48" \
    '[.groups[].iommu | "\(.name) \(.address_bits)"] | unique[]' cat groups.json
check_json "the MSI window of every group is told" true 'all(.groups[]; any(.reserved[]; .type == "msi"))' cat groups.json
check_json "memory that is mapped until a driver has the device forbids nothing" "direct-relaxable 0" \
    '"\([.groups[].reserved[].type | select(startswith("direct"))] | unique[]) \([.groups[].forbidden_by[]] | length)"' \
    cat groups.json
check_json "no argument of the kernel claims isolation" null .acs_override cat groups.json
check_json "without --explain there is none of it" null '[.groups[].explanation] | unique[]' vfioctl groups --json

su guest -c "vfioctl groups --explain --json" >guest.json
check_json "who may read 64 bytes gets the same groups, and is told what is implied" assumed \
    '.groups[] | select(.devices | index("0000:08:01.0")).explanation.agreement' cat guest.json
check_json "by whose configuration space" "0000:07:00.0" \
    '[.groups[] | select(.devices | index("0000:08:01.0")).explanation.unread[]] | map(select(. == "0000:07:00.0")) | unique[]' \
    cat guest.json
check_json "and nothing is called unexplained" 0 '[.groups[] | select(.explanation.agreement == "unexplained")] | length' \
    cat guest.json

vfioctl sriov destroy 01:00.0 >/dev/null 2>&1
vfioctl sriov destroy 02:00.0 >/dev/null 2>&1
