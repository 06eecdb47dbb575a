# The part of requirements.lock that a list of package names asks for: awk -f pick.awk NAMES requirements.lock
FNR == NR { wanted[$1]; next }
/^[a-z0-9]/ { split($1, part, "=="); is_wanted = part[1] in wanted }
is_wanted
