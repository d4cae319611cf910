# Completion of sockwake(1) for bash.

_sockwake_instances() {
	sockwake list --json 2>/dev/null | sed -n 's/^\t\t"name":\t"\(.*\)",*$/\1/p'
}

# The instances that the command line does not name yet.
_sockwake_others() {
	_sockwake_instances | grep -vxF -f <(printf '%s\n' "$@")
}

_sockwake_engine() {
	local backend=$1
	if [[ -z $backend ]]; then
		((EUID == 0)) && backend=docker || backend=podman
	fi
	command -v "$backend" >/dev/null && "$backend" "${@:2}" 2>/dev/null
}

# Without those that sockwake keeps beside a Quadlet's container, so that pruning spares its image and volumes.
_sockwake_containers() {
	_sockwake_engine "$1" ps --all --format '{{.Names}}' | grep -v '^sockwake-.*-keep$'
}

_sockwake_images() {
	_sockwake_engine "$1" images --format '{{.Repository}}:{{.Tag}}' | grep -v '<none>'
}

# The services that may run a container: those that Quadlets make, and others that are loaded. A template runs none.
_sockwake_units() {
	local scope=
	((EUID == 0)) || scope=--user
	systemctl $scope list-unit-files --type=service --plain --no-legend 2>/dev/null | sed -n 's/^\([^ ]*[^@ ]\.service\) .*/\1/p'
	systemctl $scope list-units --all --type=service --plain --no-legend 2>/dev/null | sed 's/ .*//'
}

_sockwake() {
	local cur prev command backend= words cword i
	_get_comp_words_by_ref -n : cur prev words cword 2>/dev/null || {
		cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
		words=("${COMP_WORDS[@]}") cword=$COMP_CWORD
	}
	command=${words[1]}
	case $command in
	rm) command=remove ;;
	ls | ps) command=list ;;
	esac
	for ((i = 2; i < cword; i++)); do
		[[ ${words[i]} == --backend ]] && backend=${words[i + 1]}
	done
	COMPREPLY=()

	if ((cword == 1)); then
		COMPREPLY=($(compgen -W 'create set adopt remove list status wake sleep refresh attend router logs version help --help --version' -- "$cur"))
		return
	fi
	case $prev in
	--scope) COMPREPLY=($(compgen -W 'system user' -- "$cur")) && return ;;
	--backend) COMPREPLY=($(compgen -W 'docker podman' -- "$cur")) && return ;;
	--idle-action) COMPREPLY=($(compgen -W 'stop pause' -- "$cur")) && return ;;
	--hold) COMPREPLY=($(compgen -W 'connections data' -- "$cur")) && return ;;
	--proxy-protocol) COMPREPLY=($(compgen -W 'v1 v2' -- "$cur")) && return ;;
	--health-check)
		COMPREPLY=($(compgen -W 'listen postgres redis greeting http healthy none' -- "$cur")) && return ;;
	--user) COMPREPLY=($(compgen -u -- "$cur")) && return ;;
	--socket-group) COMPREPLY=($(compgen -g -- "$cur")) && return ;;
	--engine-socket) COMPREPLY=($(compgen -f -- "$cur")) && return ;;
	--container-name | --with) COMPREPLY=($(compgen -W "$(_sockwake_containers "$backend")" -- "$cur")) && return ;;
	--name)
		[[ $command == create ]] || COMPREPLY=($(compgen -W "$(_sockwake_instances)" -- "$cur"))
		return
		;;
	--*-timeout | --keepalive | --warm-for | --for) COMPREPLY=($(compgen -W '30s 1min 15min 1h' -- "$cur")) && return ;;
	--image)
		COMPREPLY=($(compgen -W "$(_sockwake_images "$backend")" -- "$cur"))
		declare -F __ltrim_colon_completions >/dev/null && __ltrim_colon_completions "$cur"
		return
		;;
	--network)
		COMPREPLY=($(compgen -W "none host $(_sockwake_engine "$backend" network ls --format '{{.Name}}')" -- "$cur"))
		return
		;;
	--unit) COMPREPLY=($(compgen -W "$(_sockwake_units)" -- "$cur")) && return ;;
	--unset) COMPREPLY=($(compgen -W "target no-boot drop-publish with with-project
		startup-timeout idle-timeout warm-for schedule health-check idle-action keep-running ignore-from
		no-wake-from no-hold-from hold connection-timeout flow-timeout keepalive drain-timeout
		proxy-protocol transparent workers socket-mode socket-group user no-notifications no-selinux" -- "$cur")) && return ;;
	--listen-port | --container-port | --publish | -p | --target | --workers | --lines | -n | \
		--env | -e | --volume | -v | --no-wake-from | --no-hold-from | --ignore-from | --socket-mode | --schedule)
		return
		;;
	esac
	if [[ $cur != -* ]]; then
		case $command in
		set | remove | status | wake | sleep | refresh) COMPREPLY=($(compgen -W "$(_sockwake_others "${words[@]:2:cword-2}")" -- "$cur")) ;;
		logs) COMPREPLY=($(compgen -W "$(_sockwake_instances)" -- "$cur")) ;;
		router) COMPREPLY=($(compgen -W 'enable disable status' -- "$cur")) ;;
		help) COMPREPLY=($(compgen -W 'create set adopt remove list status wake sleep refresh attend router logs version help' -- "$cur")) ;;
		create | adopt) COMPREPLY=($(compgen -W "$(_sockwake_containers "$backend")" -- "$cur")) ;;
		esac
		return
	fi
	local options='--help'
	case $command in
	create) options+=' --name --container-name --listen-port --container-port --publish --target --unit --no-boot
		--with --with-project
		--drop-publish --backend
		--engine-socket --scope --startup-timeout --idle-timeout --warm-for --schedule --health-check --idle-action --keep-running
		--no-wake-from --no-hold-from --ignore-from --hold --connection-timeout --flow-timeout --keepalive --drain-timeout --proxy-protocol --transparent
		--workers --image --env --volume --drop-volumes --network --socket-mode --socket-group --user --no-notifications --no-selinux --force --dry-run --json' ;;
	set) options+=' --name --publish --target --no-boot --drop-publish --with --with-project --scope
		--startup-timeout --idle-timeout --warm-for --schedule --health-check --idle-action --keep-running
		--ignore-from --no-wake-from --no-hold-from --hold --connection-timeout --flow-timeout --keepalive --drain-timeout
		--proxy-protocol --transparent --workers --socket-mode --socket-group --user --no-notifications --no-selinux --unset --all' ;;
	adopt) options+=' --all --prune --dry-run --backend --engine-socket --scope' ;;
	remove) options+=' --name --all --with-container --no-selinux --scope' ;;
	list) options+=' --json --scope' ;;
	status) options+=' --name --json --scope' ;;
	wake) options+=' --name --all --for --scope' ;;
	sleep) options+=' --name --all --scope' ;;
	refresh) options+=' --name --all --accept-volumes --scope' ;;
	attend) options+=' --scope' ;;
	router) options+=' --json' ;;
	logs) options+=' --name --follow --lines --scope' ;;
	esac
	COMPREPLY=($(compgen -W "$options" -- "$cur"))
}

complete -F _sockwake sockwake
