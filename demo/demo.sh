#!/bin/sh
# A session with sp, from the sample tenants.json of the documents to the bytes
# that the original tool would write. It works in a directory that is gone afterwards.
set -eu
exec 2>&1 # what sp says beside its answers, in its place between them

sp=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
unset SP_DIR SYSTEMPROMPT_PROFILE || true

say() { printf '\n# %s\n' "$*"; }
run() { printf '$ sp %s\n' "$*"; "$sp" "$@"; }
# expect URL ARGUMENT... resolves, and fails if it is another database.
expect() {
	want=$1
	shift
	got=$("$sp" "$@")
	printf '$ sp %s\n%s\n' "$*" "$got"
	[ "$got" = "$want" ] || { echo "demo: expected $want"; exit 1; }
}
local_db=postgres://systemprompt:localdev@localhost:5432/systemprompt
cloud_db=postgres://user:pass@internal-db:5432/tenant

say 'Take over the tenants.json of the documents.'
run import "$here/tenants.json"
run tenant list

say 'A profile for each tenant; a new one belongs to the selected tenant.'
run tenant select local_19bff27604c
run profile create local -y
run tenant select my-project-prod
run profile create production -y
run profile list --all

say 'Which database? First the weakest source: the default, while no session is there.'
run session logout
run profile default production
expect "$cloud_db" resolve
say 'Stronger: the session of the selected tenant.'
run session switch local
expect "$local_db" resolve
say 'Stronger: the environment.'
SYSTEMPROMPT_PROFILE=production
export SYSTEMPROMPT_PROFILE
echo '$ export SYSTEMPROMPT_PROFILE=production'
expect "$cloud_db" resolve
say 'Strongest: the flag.'
expect "$local_db" resolve --profile local

say 'And why?'
run explain

say 'The tenants.json that older tools read followed from the start.'
ls -l .systemprompt/tenants.json
cmp .systemprompt/tenants.json "$here/expected.json"
echo 'Byte for byte what the original tool writes.'

say 'The other files of the directory follow, too.'
run secrets list
find .systemprompt/profiles .systemprompt/sessions -type f -exec ls -l {} +
