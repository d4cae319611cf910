#compdef sockwake
# Completion of sockwake(1) for zsh.

_sockwake_instances() {
	local -a names
	names=(${(f)"$(sockwake list 2>/dev/null | awk 'NR > 1 { print $1 }')"})
	_describe 'instance' names
}

_sockwake_containers() {
	local -a names
	local backend=podman
	((EUID)) || backend=docker
	backend=${opt_args[--backend]:-$backend}
	(($+commands[$backend])) && names=(${(f)"$($backend ps --all --format '{{.Names}}' 2>/dev/null)"})
	_describe 'container' names
}

_sockwake() {
	local curcontext=$curcontext state
	local -a verbs scope name names
	typeset -A opt_args
	verbs=(
		'create:make a container wake on the first connection'
		'adopt:create what labels of containers ask for'
		'remove:remove an instance, or all'
		'list:list the instances'
		'status:show all about one instance'
		'wake:wake an instance'
		'sleep:put an instance to sleep'
		'refresh:render the units of instances anew'
		'attend:start the idle clock of what runs while it should sleep'
		'logs:show what the container wrote'
		'version:show the version'
		'help:show how to use sockwake'
	)
	scope=('--scope[whose instances]:scope:(system user)')
	name=('--name[instance]:instance:_sockwake_instances' '::instance:_sockwake_instances')
	names=('--name[instance]:instance:_sockwake_instances' '*:instance:_sockwake_instances')

	_arguments -C '1:command:->command' '*::argument:->argument' && return
	if [[ $state == command ]]; then
		_describe 'command' verbs
		return
	fi
	case $words[1] in
	create)
		_arguments $scope \
			'--name[of the instance and its units]:name:' \
			'--container-name[an existing container]:container:_sockwake_containers' \
			'--listen-port[on all addresses]:port:' \
			'--container-port[where the server in the container listens]:port:' \
			'*'{-p,--publish}'[where to listen, and the port in the container]:[ADDR\:]PORT\:CPORT:' \
			'*--target[where in the container]:address or unix\:/PATH:' \
			'--unit[the unit that runs the container]:unit:' \
			'--no-boot[keep a Quadlet out of the boot]' \
			'--drop-publish[keep a Quadlet from publishing these ports]' \
			'*--with[wake that container first]:container:_sockwake_containers' \
			'--with-project[wake first what it needs of its project]' \
			'--backend[engine]:engine:(docker podman)' \
			'--engine-socket[of the engine]:socket:_files' \
			'--startup-timeout[for how long clients wait for a wake]:time span:' \
			'--idle-timeout[without a connection until sleep]:time span:' \
			'--warm-for[the same after a busy period]:time span:' \
			'*--schedule[keep it warm at these times]:[DAYS] HH\:MM-HH\:MM:' \
			'--health-check[when it is ready]:check:(listen postgres redis greeting http healthy none)' \
			'--idle-action[how to sleep]:action:(stop pause)' \
			'--keep-running[leave a container running that ran before]' \
			'*--no-wake-from[these clients do not wake it]:network:' \
			'*--no-hold-from[these clients do not keep it awake]:network:' \
			'*--ignore-from[these clients do neither]:network:' \
			'--hold[what keeps it awake]:what:(connections data)' \
			'--flow-timeout[pass on late answers over UDP]:time span:' \
			'--connection-timeout[close quiet connections]:time span:' \
			'--keepalive[probe quiet connections]:time span:' \
			'--drain-timeout[for open connections when it is stopped]:time span:' \
			'--proxy-protocol[tell the server who the client is]:version:(v1 v2)' \
			'--transparent[let the server see the address of the client]' \
			'--workers[threads that forward]:number:' \
			'--image[make the container first]:image:' \
			'*'{-e,--env}'[a variable of the container]:NAME=VALUE:' \
			'*'{-v,--volume}'[a directory or volume in the container]:SOURCE\:DIR:' \
			'--network[of the container]:network:(none host)' \
			'--socket-mode[of Unix sockets]:mode:' \
			'--socket-group[of Unix sockets]:group:_groups' \
			'--user[whom to notify]:user:_users' \
			'--no-notifications[notify nobody]' \
			'--no-selinux[leave SELinux port labels alone]' \
			'--force[replace the instance of that name]' \
			'--dry-run[print the units and do nothing else]' \
			'--json[for programs]' \
			'::name:_sockwake_containers'
		;;
	adopt)
		_arguments $scope '--all[all containers]' '--prune[remove those that lost their container]' \
			'--dry-run[say what would be done]' '--backend[engine]:engine:(docker podman)' \
			'--engine-socket[of the engine]:socket:_files' '::container:_sockwake_containers'
		;;
	remove) _arguments $scope $names '--all[all instances]' '--with-container[also the container that create --image made]' '--no-selinux[leave SELinux port labels alone]' ;;
	list) _arguments $scope '--json[for programs]' ;;
	status) _arguments $scope $names '--json[for programs]' ;;
	wake) _arguments $scope $names '--for[hold it awake so long]:time span:' ;;
	sleep) _arguments $scope $names '--all[all instances]' ;;
	refresh) _arguments $scope $names '--all[all instances]' '--accept-volumes[their volumes are right as they are]' ;;
	attend) _arguments $scope ;;
	logs) _arguments $scope $name '(-f --follow)'{-f,--follow}'[go on]' '(-n --lines)'{-n,--lines}'[so many lines]:lines:' ;;
	help) _describe 'command' verbs ;;
	esac
}

_sockwake "$@"
