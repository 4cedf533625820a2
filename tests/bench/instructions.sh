#!/usr/bin/env bash
# Where the instructions of a subject of the benchmark go, per operation and function.
#
#   tests/bench/instructions.sh "machines legacy 1"            the 40 most expensive functions
#   tests/bench/instructions.sh "machines legacy 1" 2000 60    counted over 2000 operations, 60 lines
#   tests/bench/instructions.sh "serve json legacy"            of a server over HTTP, per request
#   tests/bench/instructions.sh "stdio tokio legacy"           of a server over pipes
#   INCLUSIVE=yes tests/bench/instructions.sh ...              with what each function calls
#
# The figures are the difference of two runs of which one does twice as much. Needs valgrind.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
subject=$1 times=${2-1000} lines=${3-40}

CARGO_PROFILE_RELEASE_DEBUG=line-tables-only RUSTFLAGS=-Awarnings cargo build --quiet --release -p mcp-tests --bin bench \
  --target-dir "${CARGO_TARGET_DIR:-target}/profile"
bench="${CARGO_TARGET_DIR:-target}/profile/release/bench"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# profile <times>: instructions and function, one a line.
profile() {
  case $subject in
    serve\ * | stdio\ *)
      local server=${subject#serve }
      "$bench" profile "${server% *}" "${server##* }" "$1" "$folder/$1"
      ;;
    *) valgrind --quiet --tool=callgrind --callgrind-out-file="$folder/$1" "$bench" run "$subject" "$1" ;;
  esac
  callgrind_annotate --auto=no --inclusive=${INCLUSIVE-no} --threshold=100 "$folder/$1" |
    sed -nE 's/^ *([0-9,]+) \([^)]*\) +(.*)$/\1 \2/p' | sed -E 's/ \[[^]]*\]$//; s/^([0-9]+),?([0-9]*),?([0-9]*),?([0-9]*) /\1\2\3\4 /'
}
profile "$times" >"$folder/short"
profile $((2 * times)) >"$folder/long"
awk -v times="$times" -v lines="$lines" -v inclusive="${INCLUSIVE-no}" '
  { count = $1; sub(/^[0-9]+ /, ""); sub(/^[^:]*:/, "") }
  # One function is listed once for each file that is inlined into it; with callees, the greatest is its own.
  inclusive == "yes" { if (FNR == NR) { if (count > short[$0]) short[$0] = count } else if (count > long[$0]) long[$0] = count; next }
  FNR == NR { short[$0] += count; next }
  { long[$0] += count }
  END {
    for (name in long) {
      each = (long[name] - short[name]) / times
      if (name !~ /PROGRAM TOTALS/) { if (each >= 1) printf "%9.0f  %s\n", each, name | ("sort -rn | head -n " lines) }
      else total = each
    }
    printf "%9.0f  in all\n", total
  }' "$folder/short" "$folder/long"
