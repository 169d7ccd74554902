#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Builds every fuzz target and runs each over its seeds and on from there: smoke.sh [SECONDS]. Every report is an error.
set -eu
cd "$(dirname "$0")/../.."
seconds=${1:-20}
out=build/fuzz
mkdir -p "$out"
flags="-std=gnu11 -D_GNU_SOURCE -DANJAY_VENDORED_ALLOC_HOOK -g -O1 -fno-omit-frame-pointer -Ivendor/anjay/include -Ivendor/avs_coap/include -Ivendor/avs_commons/include"
sanitize="address,undefined -fno-sanitize-recover=undefined"
lib="$out/libanjay_fuzz.a"
objects=""
for source in $(find vendor -name '*.c' | sort); do
    object="$out/$(printf '%s' "$source" | tr '/' '_').o"
    if [ ! -f "$object" ] || [ -n "$(find vendor -name '*.[ch]' -newer "$object" | head -n 1)" ]; then
        # shellcheck disable=SC2086
        clang $flags -fsanitize=fuzzer-no-link,$sanitize -c "$source" -o "$object"
    fi
    objects="$objects $object"
done
rm -f "$lib"
# shellcheck disable=SC2086
ar rcs "$lib" $objects
ran=0
for target in tests/fuzz/fuzz_*.c; do
    name=$(basename "$target" .c)
    # shellcheck disable=SC2086
    clang $flags -fsanitize=fuzzer,$sanitize "$target" "$lib" -lssl -lcrypto -lm -lpthread -o "$out/$name"
    seeds="tests/fuzz/corpus/${name#fuzz_}"
    [ -n "$(ls "$seeds")" ] # a target without seeds finds little
    work="$out/corpus_$name"
    mkdir -p "$work"
    if ! "$out/$name" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=1024 -print_final_stats=1 -artifact_prefix="$out/" \
        "$work" "$seeds" >"$out/$name.log" 2>&1; then
        tail -n 60 "$out/$name.log"
        exit 1
    fi
    ran=$((ran + 1))
    echo "$name: $(sed -n 's/^stat::number_of_executed_units: *//p' "$out/$name.log") executions, no report"
done
[ "$ran" -gt 0 ]
