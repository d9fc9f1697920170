# machine: another-card, after 34-stable-identity
# One card more shifts bus numbers: what was 01:00.0 is 02:00.0, and 01:00.0 is another device. Identities that were written
# down before name the same devices.

devices=/sys/bus/pci/devices
identities=/lab/handed/identities
identity_of() { sed -n "s/ 0000:$1\$//p" $identities; }

check_driver "igb is not 01:00.0 any more" 0000:02:00.0 igb
check_attribute "01:00.0 is another device" $devices/0000:01:00.0/device 0x11e8

vfioctl list --stable --json | jq -r '.devices[] | "\(.stable) \(.address)"' >now
cut -d ' ' -f 1 $identities | sort >before-names
cut -d ' ' -f 1 now | sort >now-names
check_equal "the same devices have the same identities, and two are new: the card and its port" \
    "0000:00/01.0 0000:00/01.0/00.0" \
    "$(grep -vxFf before-names now-names | cut -d - -f 1 | paste -s -d ' ' -)"
check_equal "none is gone" "" "$(grep -vxFf now-names before-names)"
awk 'NR == FNR { before[$1] = $2 } NR != FNR && ($1 in before) && before[$1] != $2 { print before[$1] " is " $2 }' \
    $identities now >moved
check_equal "those on buses have other addresses" yes "$([ "$(wc -l <moved)" -ge 10 ] && echo yes)"

while read -r was is; do
    check_json "what was $was is found at $is" "0000:$is" '.devices[].address' vfioctl show "$(identity_of "$was")" --json
done <<DEVICES
01:00.0 02:00.0
02:00.0 03:00.0
03:00.0 04:00.0
04:00.1 05:00.1
06:00.0 07:00.0
08:03.0 09:03.0
00:03.0 00:03.0
81:00.0 81:00.0
DEVICES

igb=$(identity_of 01:00.0)
check_outcome "virtual functions are made on the right card" done vfioctl sriov create "$igb" 2 --driver vfio-pci
check_driver "and bound" 0000:02:10.2 vfio-pci
check_json "and named by it" 0000:02:10.2 '.devices[].address' vfioctl show "$igb:vf1" --json
check_outcome "a network card goes to vfio-pci by the name it had before" done vfioctl bind "$(identity_of 03:00.0)"
check_driver "at its new address" 0000:04:00.0 vfio-pci
check_driver "what has its old address now is left alone" 0000:03:00.0 nvme
check_outcome "everything goes back" done vfioctl restore --all
check_outcome "and the virtual functions" done vfioctl sriov destroy "$igb"
check_refusal "the new card at an old identity's ids is not mistaken" 66 "another device is where" \
    vfioctl bind "0000:00/01.0/00.0-${igb#*-}"
