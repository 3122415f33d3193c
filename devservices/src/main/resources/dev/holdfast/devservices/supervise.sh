# Runs a server and ends it when the program that wanted it is gone. That program holds the
# writing end of our standard input, so that its death, of whatever kind, reads as end of file.
#
# Arguments: the server's log; a directory to delete when the program died, or ''; the signal that
# ends the server then; the server's command.
# Prints the server's process id. Exits with the server's exit code.
log=$1 scratch=$2 signal=$3
shift 3
exec 3<&0

abandoned=
trap 'abandoned=yes' USR1
# The program decides about these (they reach all of a terminal's processes); a trap, unlike an
# ignored signal, is not inherited by the server.
trap : HUP INT TERM

"$@" </dev/null >>"$log" 2>&1 3<&- &
server=$!

# Prints the ids of the server's children, from shell builtins alone.
children() {
  for stat in /proc/[0-9]*/stat; do
    { read -r line <"$stat"; } 2>/dev/null || continue
    # The second field, the program's name, may hold spaces and parentheses.
    set -- ${line##*) }
    if [ "$2" = "$server" ]; then
      pid=${stat#/proc/}
      echo "${pid%/stat}"
    fi
  done
}

(
  trap '' HUP INT TERM USR1
  exec >/dev/null 2>&1
  while read -r ignored; do :; done <&3
  kill -USR1 $$
  # A stopped server does not see the signal that ends it.
  kill -CONT "$server" $(children)
  kill "-$signal" "$server"
  tries=0
  while kill -0 "$server" && [ "$tries" -lt 50 ]; do
    sleep 0.1
    tries=$((tries + 1))
  done
  if kill -0 "$server"; then
    kill -KILL $(children) "$server"
  fi
) &
watcher=$!

echo "$server"
exec 3<&- </dev/null >/dev/null

# A trapped signal ends wait early; a reaped server no longer answers kill -0.
code=0
while kill -0 "$server" 2>/dev/null; do
  wait "$server"
  code=$?
done
kill -KILL "$watcher" 2>/dev/null
if [ -n "$abandoned" ] && [ -n "$scratch" ]; then
  rm -rf -- "$scratch"
fi
exit "$code"
