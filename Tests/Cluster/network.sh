#!/usr/bin/env bash
# Hosts on this machine: network namespaces, each with a name of its own, on a network of 10.77.0.0/24 whose speed is set.
#
#   network.sh up HOSTS RATE MICROSECONDS    makes them; RATE as tc has it (10gbit), or none; what is sent arrives that much later
#   network.sh on HOST COMMAND...            runs a command on one of them, from 1 on
#   network.sh mpirun -n RANKS COMMAND...    runs a command by Open MPI's mpirun, a rank a host
#   network.sh down                          takes all away
#
# As root. A delay is made by delay.c, which is compiled for it: the switch of a slow network. Without one, Linux' own bridge is.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
((UID == 0)) || { echo 'network.sh: network namespaces need root' >&2; exit 77; }

on() {
  local host=$1
  shift
  # shellcheck disable=SC2016
  exec ip netns exec "pmae$host" unshare --uts bash -c 'hostname "$0"; exec "$@"' "pmae$host" "$@"
}

# Those that there are.
hosts() { ip netns list | awk '/^pmae[0-9]+( |$)/ { print $1 }'; }

down() {
  local name
  pkill -f '^pmae-delay ' || true
  # A launcher waits for hosts that it cannot reach.
  for name in $(hosts); do ip netns pids "$name" | xargs -r kill -KILL; done
  # A namespace's end of a pair goes some time after it.
  for name in $(ip -o link show type veth | awk -F '[ @:]+' '$2 ~ /^pmae-port/ { print $2 }'); do ip link del "$name"; done
  for name in $(hosts); do ip netns del "$name"; done
  ip link del pmae-bridge 2>/dev/null || true
}

up() {
  local hosts=$1 rate=$2 delay=$3 host names=()
  down
  for ((host = 1; host <= hosts; host++)); do
    ip netns add "pmae$host"
    names+=("pmae$host")
  done
  if ((delay > 0)); then
    local folder
    folder=$(mktemp -d)
    clang -O2 "$here/delay.c" -o "$folder/delay"
    mkfifo "$folder/ready"
    (exec -a pmae-delay "$folder/delay" "$delay" "${names[@]}" >"$folder/ready") &
    read -r _ <"$folder/ready"
    rm -r "$folder"
  else
    ip link add pmae-bridge type bridge
    ip link set pmae-bridge up
    for ((host = 1; host <= hosts; host++)); do
      ip link add "pmae-port$host" type veth peer name eth0 netns "pmae$host"
      ip link set "pmae-port$host" master pmae-bridge up
      ip -n "pmae$host" addr add "10.77.0.$host/24" dev eth0
      ip -n "pmae$host" link set eth0 up
      ip -n "pmae$host" link set lo up
    done
  fi
  [[ $rate == none ]] && return
  for ((host = 1; host <= hosts; host++)); do
    tc -n "pmae$host" qdisc add dev eth0 root tbf rate "$rate" burst 512kb latency 50ms
  done
}

# What Open MPI calls in place of ssh: HOST COMMAND...
agent() {
  local host=${1##*.}
  shift
  on "$host" bash -c "$*"
}

mpirun() {
  [[ ${1-} == -n ]] || { echo 'network.sh: mpirun: expected -n RANKS first' >&2; exit 64; }
  local ranks=$2
  shift 2
  export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
  on 1 mpirun --host "$(seq -s, -f '10.77.0.%.0f:1' 1 "$ranks")" -n "$ranks" --bind-to none --mca plm_rsh_agent "$here/network.sh" \
    --mca plm_rsh_no_tree_spawn 1 --mca btl tcp,self --mca btl_tcp_if_include 10.77.0.0/24 --mca oob_tcp_if_include 10.77.0.0/24 "$@"
}

case ${1-} in
  up | on | down | mpirun) "$@" ;;
  10.77.0.*) agent "$@" ;;
  *)
    sed -n 's/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2
    exit 64
    ;;
esac
