#!/bin/sh
# Fails on what the layers of src/ forbid:
#
#   - an include of a higher layer (base < model < os < service < view < cli)
#   - headers that include each other, directly or through others
#   - fork outside os/spawn.c, libyaml outside model/yaml*.c, inih outside model/dotenv*.c
#   - printing to stdout and ending the process below cli/ (base/memory.c ends it without memory)
set -eu
cd "${1:-src}"

find . -name '*.[ch]' | sed 's,^\./,,' | sort | xargs awk '
function layer(path) { return path ~ /\// ? substr(path, 1, index(path, "/") - 1) : "main" }
function complain(text) { print FILENAME ":" FNR ": " text; bad = 1 }
function visit(node, path,    i, list, count) {
	if (state[node] == 2)
		return
	if (state[node] == 1) {
		print "cycle of includes:" path " " node
		bad = 1
		return
	}
	state[node] = 1
	count = split(edges[node], list, " ")
	for (i = 1; i <= count; i++)
		visit(list[i], path " " node)
	state[node] = 2
}
BEGIN {
	count = split("base model os service view cli main", names, " ")
	for (i = 1; i <= count; i++)
		rank[names[i]] = i
}
FNR == 1 {
	here = layer(FILENAME)
	in_comment = 0
	if (!(here in rank))
		complain("is in no known layer")
}
{
	code = $0
	if (in_comment) {
		if (!match(code, /\*\//))
			next
		code = substr(code, RSTART + 2)
		in_comment = 0
	}
	gsub(/\/\*([^*]|\*[^\/])*\*\//, "", code)
	if (match(code, /\/\*/)) {
		code = substr(code, 1, RSTART - 1)
		in_comment = 1
	}
}
code ~ /^#[ \t]*include[ \t]*"/ {
	split(code, part, "\"")
	there = layer(part[2])
	if (!(there in rank) || part[2] !~ /\//)
		complain("include \"" part[2] "\" does not begin with a layer")
	else if (rank[there] > rank[here])
		complain(here " includes " there ": \"" part[2] "\"")
	edges[FILENAME] = edges[FILENAME] " " part[2]
	next
}
code ~ /^#[ \t]*include[ \t]*<yaml\.h>/ && FILENAME !~ /^model\/yaml[a-z_]*\.[ch]$/ {
	complain("libyaml has one user, model/yaml.c")
}
code ~ /^#[ \t]*include[ \t]*<ini\.h>/ && FILENAME !~ /^model\/dotenv[a-z_]*\.c$/ {
	complain("inih has one user, model/dotenv.c")
}
{ gsub(/"([^"\\]|\\.)*"/, "\"\"", code) }
code ~ /(^|[^A-Za-z0-9_])(fork|vfork|clone3?|posix_spawnp?|_Fork|daemon)[ \t]*\(/ &&
    FILENAME != "os/spawn.c" {
	complain("only os/spawn.c forks")
}
here != "cli" && here != "main" &&
    code ~ /(^|[^A-Za-z0-9_])(v?printf|puts|putchar|perror|stdout)([^A-Za-z0-9_]|$)/ &&
    code !~ /__attribute__|format\(printf/ {
	complain("only cli/ prints")
}
here != "cli" && here != "main" && FILENAME !~ /^base\/(memory|footprint)\.c$/ &&
    FILENAME !~ /^(os\/spawn|service\/supervisor)\.c$/ &&
    code ~ /(^|[^A-Za-z0-9_])(exit|_exit|_Exit|quick_exit|abort)[ \t]*\(/ {
	complain("only cli/ ends the process")
}
code ~ /(^|[^A-Za-z0-9_])(system|popen|strcpy|strcat|sprintf|vsprintf|gets|atoi|sleep|usleep)[ \t]*\(/ {
	complain("a function that pmo does not use")
}
END {
	for (file in edges)
		visit(file, "")
	exit bad
}' && echo 'layers: ok'
