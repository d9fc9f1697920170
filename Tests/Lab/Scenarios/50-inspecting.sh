# A device as VFIO gives it, and its registers, through both backends. edu answers 0x010000ed at 0, and the inverse of what
# was written at 4. At 00:03.0 nothing resets it: it remembers between runs.

vfioctl bind 00:03.0 '04:00.*' >/dev/null

for backend in iommufd group; do
    check_json "$backend: inspect says through what it looked" "vfioctl.inspect/1 0000:00:03.0 $backend" \
        '"\(.schema) \(.device) \(.backend)"' vfioctl inspect 00:03.0 --backend $backend --json
    cp "$last_output" inspected.json
    check_json "$backend: bar0 is 1 MiB, read, written and mapped" "1048576 read write mmap" \
        '.regions[] | select(.name == "bar0") | "\(.size) \(.flags | join(" "))"' cat inspected.json
    check_json "$backend: the configuration space is there" 4096 \
        '.regions[] | select(.name == "config").size | if . == 256 then 4096 else . end' cat inspected.json
    check_json "$backend: one MSI, and INTx" "intx:1 msi:1" \
        '[.interrupts[] | select(.count > 0 and (.name == "intx" or .name == "msi")) | "\(.name):\(.count)"] | join(" ")' \
        cat inspected.json
    check_output "$backend: for people too" bar0 vfioctl inspect 00:03.0 --backend $backend

    check_json "$backend: edu's identity, through the mapping" 0x010000ed .value \
        vfioctl read 00:03.0 bar0 0x0 --width 32 --backend $backend --json
    check_json "$backend: the vendor, from the configuration space" 0x1234 .value \
        vfioctl read 00:03.0 config 0 --width 16 --backend $backend --json
    check_json "$backend: one byte of it" 0x34 .value vfioctl read 00:03.0 config 0 --width 8 --backend $backend --json
done
check_output "for people the value stands alone" 0x010000ed vfioctl read 00:03.0 bar0 0
check_equal "on one line" 1 "$(wc -l <"$last_output")"

check "a write" vfioctl write 00:03.0 bar0 0x4 0x12345678
check_json "is seen by the next run" 0xedcba987 .value vfioctl read 00:03.0 bar0 4 --width 32 --json
check_output "several accesses in one open" 0xfffffffe vfioctl regs 04:00.0 write:bar0:0x4:1 read:bar0:0x4
check_output "in the order they were given" 0xfffffffd vfioctl regs 04:00.0 write:bar0:4:1 write:bar0:4:2 read:bar0:4

# --- Nonsense ------------------------------------------------------------------------------------------------------------

check_refusal "an offset behind the region's end" 66 bar0 vfioctl read 00:03.0 bar0 0x100000 --width 32
check_refusal "one that is not aligned" 64 aligned vfioctl read 00:03.0 bar0 0x2 --width 32
check_refusal "a negative one" 64 "" vfioctl read 00:03.0 bar0 --width 32 -- -4
check_refusal "one beyond 64 bits" 64 0x10000000000000000 vfioctl read 00:03.0 bar0 0x10000000000000000
check_refusal "one that is no number" 64 four vfioctl read 00:03.0 bar0 four
check_refusal "a width that there is not" 64 24 vfioctl read 00:03.0 bar0 0 --width 24
check_refusal "a region that there is not" 64 bar7 vfioctl read 00:03.0 bar7 0
check_refusal "a region that this device does not have" 66 bar2 vfioctl read 00:03.0 bar2 0
check_refusal "a value wider than the access" 64 0x100000000 vfioctl write 00:03.0 bar0 4 0x100000000 --width 32
check_refusal "a device that vfio-pci does not have, and what to do" 3 bind vfioctl inspect 03:00.0
check_refusal "nor one without a driver" 3 bind vfioctl read 08:01.0 bar0 0

# --- Somebody else has it ------------------------------------------------------------------------------------------------

for holding in group iommufd; do
    vfioctl run 00:03.0 --backend $holding --attached -- sleep 100 &
    holder=$!
    check "a process holds it, by $holding" wait_until 10 is_open 00:03.0
    for backend in group iommufd; do
        check_refusal "by $backend it cannot be opened, and the holder is named" 3 "$holder" \
            vfioctl read 00:03.0 bar0 0 --backend $backend
    done
    kill $holder
    wait $holder || true
    check_output "once closed, it can" 0x010000ed vfioctl read 00:03.0 bar0 0
done

vfioctl restore --all >/dev/null
