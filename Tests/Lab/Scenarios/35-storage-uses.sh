# Who uses a disk: file systems in every mount namespace, swap, md, device-mapper, processes, each with the way from the
# function up to the mount point. What is only written on an idle disk is a warning.

disk=0000:02:00.0

# used_as TITLE KINDS TEXT: `list` has these kinds of users for the disk, and TEXT in what it says of them.
used_as() {
    check_json "$1" "$2" ".devices[] | select(.address == \"$disk\").in_use | map(.by) | unique | join(\" \")" \
        vfioctl list --json
    check_json "  with the evidence" true \
        ".devices[] | select(.address == \"$disk\").in_use | any(.detail | contains(\"$3\"))" cat "$last_output"
}

# Three partitions: 512 bytes a sector, an entry of 16 bytes each in the table at 446, then 55 aa.
le32() { printf '\\x%02x\\x%02x\\x%02x\\x%02x' $(($1 & 255)) $(($1 >> 8 & 255)) $(($1 >> 16 & 255)) $(($1 >> 24 & 255)); }
entry() { printf '%b' "\\x00\\x00\\x00\\x00\\x83\\x00\\x00\\x00$(le32 "$1")$(le32 "$2")"; }
{
    entry 2048 32768
    entry 34816 32768
    entry 67584 32768
    entry 0 0
    printf '%b' '\x55\xaa'
} >table
# Nothing of what others wrote before: a signature of the whole disk would be told as well.
dd if=/dev/zero of=/dev/nvme0n1 bs=4096 count=64 2>/dev/null
dd if=table of=/dev/nvme0n1 bs=1 seek=446 conv=notrunc 2>/dev/null
blockdev --rereadpt /dev/nvme0n1
check "the disk has three partitions" wait_until 5 test -b /dev/nvme0n1p3

check_json "nobody uses it" 0 ".devices[] | select(.address == \"$disk\").in_use | length" vfioctl list --json
check_json "and root could look everywhere" 0 '[.devices[].unseen | length] | add' cat "$last_output"

mke2fs -L backup /dev/nvme0n1p1 >/dev/null 2>&1
check_output "a file system that nobody mounted is a warning of show" "nvme0n1p1 is not in use, but has ext2 on it (backup)" \
    vfioctl show $disk
check_json "and of the plan, which goes on" "planned true" \
    '"\(.outcome) \(.warnings | any(contains("nvme0n1p1 is not in use, but has ext2 on it")))"' \
    vfioctl bind $disk --dry-run --json
check_json "with a key of its own" "nvme0n1p1 ext2 backup" '.devices[].signatures[] | "\(.block_device) \(.type) \(.label)"' \
    vfioctl show $disk --json

modprobe ext4
mkdir -p /tmp/mnt /tmp/private
mount -t ext2 /dev/nvme0n1p1 /tmp/mnt
used_as "a mounted file system" mount "nvme0n1p1 is mounted on /tmp/mnt"
check_refused_by "bind refuses for it" mount vfioctl bind $disk --dry-run
umount /tmp/mnt

# shellcheck disable=SC2016 # expanded by the inner shell
unshare -m sh -c 'mount --make-rprivate / 2>/dev/null; mount -t ext2 /dev/nvme0n1p1 /tmp/private && touch private-is-mounted && exec sleep 100' &
hidden=$!
check "a process mounts it where nobody else sees it" wait_until 10 test -e private-is-mounted
check_missing "this shell does not" /tmp/private/lost+found
used_as "which is seen all the same" mount "nvme0n1p1 is mounted on /tmp/private in the mount namespace of process $hidden (sleep)"
check_refused_by "and bind refuses for it" mount vfioctl bind $disk --dry-run
kill "$hidden"
wait "$hidden" || true

mkswap /dev/nvme0n1p2 >/dev/null
swapon /dev/nvme0n1p2
used_as "swap space" swap "nvme0n1p2 is used as swap space"
swapoff /dev/nvme0n1p2

modprobe md-mod
modprobe raid1
# Version 1.2 puts the superblock where the beginning of a disk is looked at.
mdadm --create /dev/md127 --run --force --metadata=1.2 --level=1 --raid-devices=1 /dev/nvme0n1p2 >mdadm-log 2>&1
used_as "an array on a partition" holder "nvme0n1p2 is held by md127"
modprobe dm-mod
echo "0 16384 linear /dev/md127 0" | dmsetup create lab-root >/dev/null 2>&1
used_as "a mapping on the array" holder "nvme0n1p2 is held by md127, held by dm-0 (lab-root)"
node=/dev/mapper/lab-root
[ -b $node ] || node=/dev/dm-0
mke2fs $node >/dev/null 2>&1
mount -t ext2 $node /tmp/mnt
used_as "and what is mounted from it: the whole way up" holder \
    "nvme0n1p2 is held by md127, held by dm-0 (lab-root), mounted on /tmp/mnt"
check_refused_by "bind names it" holder vfioctl bind $disk --dry-run
umount /tmp/mnt
# shellcheck disable=SC2217 # that it has it open is all that is wanted
sleep 100 <$node &
reader=$!
used_as "a process that has the mapping open, as a guest has its disk" holder "open in process $reader"
kill "$reader"
wait "$reader" || true
dmsetup remove lab-root
mdadm --stop /dev/md127 >>mdadm-log 2>&1
check_output "the stopped array is a warning" "nvme0n1p2 is not in use, but has linux_raid_member on it" vfioctl show $disk
mdadm --zero-superblock /dev/nvme0n1p2 >>mdadm-log 2>&1

# shellcheck disable=SC2217
sleep 100 </dev/nvme0n1p3 &
reader=$!
used_as "a process that has a partition open" process "process $reader"
kill "$reader"
wait "$reader" || true
# shellcheck disable=SC2217
sleep 100 </dev/nvme0 &
reader=$!
used_as "a process that has the controller's node open" process "has /dev/nvme0 open"
kill "$reader"
wait "$reader" || true

# As a user without privileges: others' processes and namespaces are not seen, and that is said.
check_json "a user without privileges is told that not everything was seen" true \
    ".devices[] | select(.address == \"$disk\").unseen | any(contains(\"not permitted to look\"))" \
    su guest -c "vfioctl list --json"
check_output "show says so" "not permitted to look at the open files of" su guest -c "vfioctl show $disk"
check_output "and the table has a question mark" " ?  " su guest -c "vfioctl list --class 0108"

dd if=/dev/zero of=/dev/nvme0n1 bs=1M count=64 conv=notrunc 2>/dev/null
blockdev --rereadpt /dev/nvme0n1
check "the disk is empty again" wait_until 5 test ! -e /dev/nvme0n1p1
check_json "and nobody uses it, as before" "0 0" \
    ".devices[] | select(.address == \"$disk\") | \"\(.in_use | length) \(.signatures | length)\"" vfioctl show $disk --json
