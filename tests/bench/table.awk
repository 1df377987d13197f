# Turns the figures in the directory `results` into the table of the benchmark.

function figure(name, column,    line, words, count)
{
	if ((getline line <(results "/" name)) <= 0)
		return -1
	close(results "/" name)
	count = split(line, words, " ")
	if (words[4] > 0)
		return -1
	return words[column]
}

function show(value)
{
	return value < 0 ? "-" : value < 100 ? sprintf("%.2f", value) : sprintf("%.0f", value)
}

function ratio(over, under)
{
	return over < 0 || under <= 0 ? "-" : sprintf("%.2f", over / under)
}

# A target is a ratio to the floor; "-" where none is set.
function verdict(over, under, target)
{
	if (target == "-" || over < 0 || under <= 0)
		return ""
	return over / under <= target ? "met" : "missed"
}

function peer_columns(name,    words, i, count, text)
{
	count = split(peers, words, " ")
	for (i = 1; i <= count; i++)
		text = text sprintf(" %11s", show(figure("peer." name "." words[i], 1)))
	return text
}

function row(title, floor, pmo, target, name,    a, b)
{
	a = figure(floor, 1)
	b = figure(pmo, 1)
	printf "%-22s %8s %8s %6s %6s %-6s | %7s %7s %6s |%s\n", title, show(a), show(b), \
		ratio(b, a), target, verdict(b, a, target), show(figure(floor, 3)), \
		show(figure(pmo, 3)), ratio(figure(pmo, 3), figure(floor, 3)), \
		name == "" ? "" : peer_columns(name)
	if (b < 0)
		broken = 1
}

function heading(    words, i, count, text)
{
	count = split(peers, words, " ")
	for (i = 1; i <= count; i++)
		text = text sprintf(" %11s", words[i])
	printf "\n%-22s %8s %8s %6s %6s %-6s | %7s %7s %6s |%s\n", "work", "floor", "pmo", "ratio", \
		"target", "", "cpu", "pmo cpu", "ratio", text
}

function fleet_rows(work, wanted,    words, i, count)
{
	count = split(counts, words, " ")
	for (i = 1; i <= count; i++)
		row(work " " words[i], "fleet." words[i] ".floor-" work, \
		    "fleet." words[i] ".pmo-" work, (words[i] in wanted) ? wanted[words[i]] : "-", \
		    work "." words[i])
}

# The floor of a tool that adds up whole process trees: all of /proc instead of the named ones.
function whole_rows(    words, i, count)
{
	count = split(counts, words, " ")
	for (i = 1; i <= count; i++)
		row("list " words[i] ", all of /proc", "fleet." words[i] ".floor-list-all", \
		    "fleet." words[i] ".pmo-list", "-", "")
}

# Cost per service at 10,000 against 100; the floor's own growth is that of the kernel.
function per_service(work,    small, big, floor_small, floor_big)
{
	small = figure("fleet.100.pmo-" work, 1)
	big = figure("fleet.10000.pmo-" work, 1)
	floor_small = figure("fleet.100.floor-" work, 1)
	floor_big = figure("fleet.10000.floor-" work, 1)
	printf "%-22s %8s %8s %6s %6s %-6s | %7s %7s %6s |\n", work " per service, us", \
		show(small < 0 ? small : small * 10), show(big < 0 ? big : big / 10), \
		growth(big, small), "1.5", big < 0 ? "" : verdict(big / 100, small, 1.5), \
		show(floor_small * 10), show(floor_big / 10), growth(floor_big, floor_small)
	if (big < 0)
		broken = 1
}

function growth(big, small)
{
	return big < 0 ? "-" : ratio(big / 100, small)
}

BEGIN {
	list_target["1"] = 2
	list_target["100"] = 2
	list_target["1000"] = 1.5
	start_target["100"] = 1.5
	stop_target["100"] = 2
	heading()
	row("version", "version.floor", "version.pmo", 1.2, "")
	row("  floor: libyaml, inih", "version.config", "version.pmo", "-", "")
	row("  floor: libc alone", "version.libc", "version.pmo", "-", "")
	fleet_rows("list", list_target)
	whole_rows()
	fleet_rows("start", start_target)
	fleet_rows("stop", stop_target)
	if (figure("disk.100.pmo-start", 1) >= 0) {
		row("start 100, on disk", "disk.100.floor-start", "disk.100.pmo-start", "-", "")
		row("stop 100, on disk", "disk.100.floor-stop", "disk.100.pmo-stop", "-", "")
	}
	row("last 15 of two logs", "logs.floor", "logs.pmo", 2, "")
	if (large == 1) {
		printf "\n%-22s %8s %8s %6s %6s %-6s | %7s %7s %6s |\n", "cost", "at 100", "10,000", \
			"ratio", "target", "", "floor", "10,000", "ratio"
		per_service("list")
		per_service("start")
		per_service("stop")
	}
	exit broken
}
