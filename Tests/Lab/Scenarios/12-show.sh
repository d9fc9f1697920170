# Showing: what show says of every device's hardware is what lspci, sysfs and modprobe say of it. Nothing is changed.

devices=/sys/bus/pci/devices
host_state >before

# lspci_capabilities: "ADDRESS|OFFSET|VERSION|TEXT", a capability a line, with all that lspci says of it in one piece.
lspci_capabilities() {
    lspci -D -vv | awk '
        function flush() { if (line != "") print line; line = "" }
        /^[0-9a-f]/ { flush(); address = $1 }
        /^\tCapabilities: \[/ {
            flush()
            text = $0
            sub(/^\tCapabilities: \[/, "", text)
            place = substr(text, 1, index(text, "]") - 1)
            text = substr(text, index(text, "]") + 2)
            version = "-"
            if (split(place, part, " v") == 2) version = part[2]
            line = address "|" part[1] "|" version "|" text
            next
        }
        /^\t\t/ { if (line != "") { text = $0; gsub(/[ \t]+/, " ", text); line = line text } next }
        { flush() }
        END { flush() }'
}

# The same of ours: what each capability is called, and for the most important ones what lspci has to say of their fields.
capability_names='.devices[] | .address as $a | .capabilities[] | [$a, .offset, .version // "-", .name] | map(tostring) | join("|")'
fragments='
    def flag: if . then "+" else "-" end;
    def hex($n): ltrimstr("0x") | ("0" * ($n - length)) + .;
    def acs: (if type == "array" then . else [] end) as $set | [["source-validation", "SrcValid"], ["translation-blocking", "TransBlk"],
        ["request-redirect", "ReqRedir"], ["completion-redirect", "CmpltRedir"], ["upstream-forwarding", "UpstreamFwd"],
        ["egress-control", "EgressCtrl"], ["direct-translated", "DirectTrans"]] |
        map(. as [$ours, $theirs] | $theirs + ($set | index($ours) | flag)) | join(" ");
    def speed: if . == null then "unknown" else gsub(" "; "") end;
    .devices[] | .address as $a | .capabilities[] | .fields as $f | .extended as $x | .offset as $offset |
    (if $x then
        {"000e": [" Next Function: \($f.next_function) "],
         "0003": ["Device Serial Number \($f.serial_number)"],
         "000d": ["ACSCap: \($f.supported | acs) ", "ACSCtl: \($f.enabled | acs) "],
         "000f": ["ATSCtl: Enable\($f.enabled | flag)"],
         "0010": ["Initial VFs: \($f.initial_vfs), Total VFs: \($f.total_vfs), Number of VFs: \($f.num_vfs), ",
                  "VF offset: \($f.first_vf_offset), stride: \($f.vf_stride), Device ID: \($f.vf_device_id) ",
                  "Enable\($f.enabled | flag) Migration", "MSE\($f.memory_enabled | flag) ",
                  ($f.vf_bars // [] | .[] | (if .width == 64 then 16 else 8 end) as $digits |
                      "Region \(.index): Memory at \(.address | hex($digits)) (\(.width)-bit")],
         "0018": ["Max snoop latency: \($f.snoop_latency_ns)ns"]}
     else
        {"01": ["Status: \($f.state) NoSoftRst\($f.keeps_settings | flag) "],
         "05": ["MSI: Enable\($f.enabled | flag) Count=\($f.count)/\($f.largest_count) Maskable\($f.maskable | flag) 64bit\($f["64bit"] | flag)"],
         "11": ["MSI-X: Enable\($f.enabled | flag) Count=\($f.count) Masked\($f.masked | flag)",
                "Vector table: BAR=\($f.table.bar?) offset=\($f.table.offset? // "" | hex(8))"],
         "10": ["Express (v\($f.version)) ", "MaxPayload \($f.payload) bytes, MaxReadReq \($f.read_request) bytes",
                (if ($f.type // "") | test("endpoint") then "FLReset\($f.function_level_reset | flag)" else empty end),
                ($f.link // empty | "LnkCap: Port #\(.port), Speed \(.best_speed | speed), Width x\(.best_width),"),
                ($f.link // empty | "LnkSta: Speed \(.speed | speed)"), ($f.link // empty | " Width x\(.width)"),
                ($f.slot // empty | "Slot #\(.number), PowerLimit")]}
     end)[.id] // [] | .[] | "\($a)|\($offset)|\(.)"'

# compare_capabilities WHAT: show of all devices against lspci of all devices.
compare_capabilities() {
    lspci_capabilities >lspci-capabilities
    vfioctl show '*:*:*' --json >show.json
    jq -r "$capability_names" show.json | awk -F '|' -v OFS='|' '{ $2 = sprintf("%02x", $2); print }' >our-names
    # lspci goes on after the name: as much of its line counts as our name is long.
    awk -F '|' -v OFS='|' 'NR == FNR { ours[FNR] = $4; next } { print $1, $2, $3, substr($4, 1, length(ours[FNR])) }' \
        our-names lspci-capabilities >lspci-names
    check_same_file "$1: every capability of every device, by offset, version and name, is lspci's" lspci-names our-names
    check "$1: the fields can be told as lspci does" jq -r "$fragments" show.json
    awk -F '|' -v OFS='|' '{ $2 = sprintf("%02x", $2); print }' "$last_output" >our-fragments
    awk -F '|' '
        NR == FNR { key = $1 "|" $2; said[key] = substr($0, index($0, $4)) " "; next }
        { rest = substr($0, length($1 $2) + 3); if (index(said[$1 "|" $2], rest) == 0) print $0 " -- lspci: " said[$1 "|" $2] }
    ' lspci-capabilities our-fragments >unsaid
    : >nothing
    check_same_file "$1: and what their fields say ($(wc -l <our-fragments) of them)" nothing unsaid
    check "there are fields to compare" test "$(wc -l <our-fragments)" -gt 150
}

# --- capabilities ------------------------------------------------------------------------------------------------------

compare_capabilities "as booted"
check_json "show answers one object, named by its schema" vfioctl.show/1 .schema cat show.json
check_json "no list of capabilities is broken" 0 '[.devices[].notes[]] | length' cat show.json
check_output "for people, a line a capability" "at 160" vfioctl show 01:00.0
check_output "with what decides" "SR-IOV): 0 of 8 functions, first at +" cat "$last_output"

# --- regions, resets, power, link, NUMA, against sysfs -------------------------------------------------------------------

# Arithmetic of the shell alone: a process takes milliseconds to start.
for device in "$devices"/*; do
    address=${device##*/} index=0
    while read -r start end flags; do
        if [ $((flags & 0x300)) != 0 ]; then
            kind=memory width=32 prefetchable=false
            if [ $((flags & 0x100)) != 0 ]; then kind=io; fi
            if [ $((flags & 0x100000)) != 0 ]; then width=64; fi
            if [ $((flags & 0x2000)) != 0 ]; then prefetchable=true; fi
            if [ $index = 6 ]; then kind=rom width=0 prefetchable=false; fi
            printf '%s %d %s %d %d %s 0x%x\n' "$address" $index $kind $width $((end - start + 1)) $prefetchable $((start))
        fi
        index=$((index + 1))
        if [ $index = 7 ]; then break; fi
    done <"$device/resource"
done >sysfs-regions
jq -r '.devices[] | .address as $a |
    (.bars[] | "\($a) \(.index) \(.kind) \(.width) \(.size) \(.prefetchable) \(.address // "0x0")"),
    (.rom // empty | "\($a) 6 rom 0 \(.size) false \(.address // "0x0")")' show.json >our-regions
check_same_file "regions and ROMs are sysfs's: kind, width, size, place" sysfs-regions our-regions
check "and some of them are 64-bit, some I/O, some prefetchable, some ROM" sh -c \
    'grep " memory 64 " our-regions && grep " io 32 " our-regions && grep " true " our-regions && grep " rom " our-regions'

for device in "$devices"/*; do
    line=${device##*/}
    for file in reset_method power_state power/runtime_status power/control numa_node; do
        value=-
        # The last line may have no newline.
        if [ -r "$device/$file" ]; then value=; read -r value <"$device/$file" || true; fi
        line="$line|${value:--}"
    done
    if [ -e "$device/reset" ]; then line="$line|true"; else line="$line|false"; fi
    printf '%s\n' "$line"
done >sysfs-attributes
jq -r '.devices[] | [.address, (.reset_methods // [] | if length == 0 then "-" else join(" ") end), .power.state // "-",
    .power.runtime_status // "-", .power.runtime_control // "-", .numa_node // -1, .resettable] | map(tostring) | join("|")' \
    show.json >our-attributes
check_same_file "resets, power states and NUMA nodes are sysfs's" sysfs-attributes our-attributes
check_output "a node of -1 is unknown" "NUMA node    unknown" vfioctl show 01:00.0
check_output "and any other is a number" "NUMA node    1" vfioctl show 81:00.0
check_output "resets are named in the kernel's order" "reset        $(sed 's/ /, /g' $devices/0000:01:00.0/reset_method)" \
    vfioctl show 01:00.0
check_output "edu on the root complex has none" "reset        none" vfioctl show 00:03.0

for device in "$devices"/*; do
    if [ -r "$device/max_link_width" ]; then
        read -r width <"$device/current_link_width"
        read -r best <"$device/max_link_width"
        read -r speed _ <"$device/current_link_speed"
        case $best in 0 | 255) ;; *) printf '%s %s x%s of x%s\n' "${device##*/}" "${speed%.0}" "$width" "$best" ;; esac
    fi
done >sysfs-links
jq -r '.devices[] | select(.link) | "\(.address) \(.link.speed // "Unknown" | split(" ")[0]) x\(.link.width) of x\(.link.best_width)"' \
    show.json >our-links
check_same_file "links are sysfs's" sysfs-links our-links
check_json "the firmware's node is ACPI's" "$(cat $devices/0000:00:03.0/firmware_node/path)" \
    '.devices[] | select(.address == "0000:00:03.0").firmware_node.path' cat show.json

# --- modules -------------------------------------------------------------------------------------------------------------

for device in "$devices"/*; do
    read -r alias <"$device/modalias"
    printf '%s %s\n' "${device##*/}" "$(modprobe --resolve-alias "$alias" 2>/dev/null | sort -u | paste -s -d ' ' -)"
done >modprobe-modules
jq -r '.devices[] | "\(.address) \(.modules | join(" "))"' show.json >our-modules
check_same_file "modules are those that modprobe would load" modprobe-modules our-modules
check_output "igb claims its card" "modules      igb" vfioctl show 01:00.0
check_json "the same from modules.alias, without libkmod" "igb" '.devices[].modules | join(" ")' \
    vfioctl --root / show 01:00.0 --json

# --- virtual functions ---------------------------------------------------------------------------------------------------

check_outcome "two virtual functions" done vfioctl sriov create eth0 2 --driver vfio-pci
compare_capabilities "with virtual functions"
check_json "the physical function names them, and its registers say where they sit" "0000:01:10.0 0000:01:10.2 2 128 2" \
    '.devices[] | select(.address == "0000:01:00.0") | [.sriov.vfs[], (.capabilities[] | select(.id == "0010").fields |
        .num_vfs, .first_vf_offset, .vf_stride)] | map(tostring) | join(" ")' cat show.json
check_json "and each of them names it" "0000:01:10.0 0 0000:01:10.2 1" \
    '[.devices[] | select(.physical_function == "0000:01:00.0") | .address, .vf_index] | map(tostring) | join(" ")' cat show.json
check_output "for people too" "VF           1 of 0000:01:00.0" vfioctl show eth0:vf1
check_json "what each virtual function has, in size" "$(vfioctl show 01:10.0 --json | jq -c '[.devices[].bars[].size]')" \
    '[.devices[] | select(.address == "0000:01:00.0").vf_bars[].size] | tojson' cat show.json
check_outcome "gone again" done vfioctl sriov destroy eth0

# --- as anyone -----------------------------------------------------------------------------------------------------------

vfioctl show '*:*:*' --json >root.json
su guest -c "vfioctl show '*:*:*' --json" >guest.json
check_json "an unprivileged user is told where it may not look" "$(jq '[.devices[] | select(.capabilities != [])] | length' root.json)" \
    '[.devices[] | select(.notes | any(startswith("capabilities: not permitted to look")))] | length' cat guest.json
check_json "and is never told that there are no capabilities where there are some" 0 \
    '[.devices[] | select(.capabilities != null and .capabilities != [])] | length' cat guest.json
check_output "for people too" "not permitted to look" su guest -c "vfioctl show 01:00.0"
hardware='.devices | map({address, bars, rom, reset_methods, power, link, modules, firmware_node})'
jq "$hardware" root.json >root-hardware
jq "$hardware" guest.json >guest-hardware
check_same_file "everything else it sees as root does" root-hardware guest-hardware

host_state >after
check_same_file "showing changed nothing" before after
