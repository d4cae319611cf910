#compdef sockwake
# Completion of sockwake(1) for zsh.

_sockwake_instances() {
	local -a names
	names=(${(f)"$(sockwake list --json 2>/dev/null | sed -n 's/^\t\t"name":\t"\(.*\)",*$/\1/p')"})
	names=(${names:|words}) # those that are named already
	_describe 'instance' names
}

_sockwake_engine() {
	local backend=podman
	((EUID)) || backend=docker
	backend=${opt_args[--backend]:-$backend}
	(($+commands[$backend])) && $backend "$@" 2>/dev/null
}

_sockwake_containers() {
	local -a names
	names=(${(f)"$(_sockwake_engine ps --all --format '{{.Names}}' | grep -v '^sockwake-.*-keep$')"})
	_describe 'container' names
}

_sockwake_images() {
	local -a names
	names=(${(f)"$(_sockwake_engine images --format '{{.Repository}}:{{.Tag}}' | grep -v '<none>')"})
	compadd -a names
}

_sockwake_networks() {
	local -a names
	names=(none host ${(f)"$(_sockwake_engine network ls --format '{{.Name}}')"})
	_describe 'network' names
}

_sockwake_units() {
	local -a names
	local scope=--user
	((EUID)) || scope=--system
	names=(${(f)"$(systemctl $scope list-units --all --type=service --plain --no-legend 2>/dev/null | sed 's/ .*//')"})
	_describe 'unit' names
}

_sockwake() {
	local curcontext=$curcontext state
	local -a verbs scope name names changeable
	typeset -A opt_args
	verbs=(
		'create:make a container wake on the first connection'
		'set:change options of an instance'
		'adopt:create instances from the labels of containers'
		'remove:remove an instance, or all'
		'list:list the instances'
		'status:show details of an instance'
		'wake:wake an instance'
		'sleep:put an instance to sleep'
		'refresh:render the units of instances again'
		'attend:start the idle clocks of running containers whose instances sleep'
		'router:give /run/docker.sock to the router, or back'
		'logs:show the output of the container'
		'version:show the version'
		'help:show how to use sockwake'
	)
	scope=('--scope[system or user instances]:scope:(system user)')
	name=('--name[instance]:instance:_sockwake_instances' '::instance:_sockwake_instances')
	names=('--name[instance]:instance:_sockwake_instances' '*:instance:_sockwake_instances')
	changeable=(
		'*'{-p,--publish}'[where to listen, and the port in the container]:[ADDR\:]PORT\:CPORT:'
		'*--target[where to connect in the container]:address or unix\:/PATH:'
		'--no-boot[keep a Quadlet from starting at boot]'
		'--drop-publish[keep a Quadlet from publishing these ports]'
		'*--with[wake this dependency first]:container:_sockwake_containers'
		'--with-project[wake its dependencies in its project first]'
		'--startup-timeout[how long clients wait for a start]:time span:'
		'--idle-timeout[time without a connection before sleep]:time span:'
		'--warm-for[idle time-out after a busy period]:time span:'
		'*--schedule[keep it warm at these times]:[DAYS] HH\:MM-HH\:MM:'
		'--health-check[how to check that the server is ready]:check:(listen postgres redis greeting http healthy none)'
		'--idle-action[how to sleep]:action:(stop pause)'
		'--keep-running[leave a container running if it ran before]'
		'*--no-wake-from[these clients do not wake it]:network:'
		'*--no-hold-from[these clients do not keep it awake]:network:'
		'*--ignore-from[these clients neither wake it nor keep it awake]:network:'
		'--hold[what keeps it awake]:what:(connections data)'
		'--flow-timeout[how long to pass on late UDP answers]:time span:'
		'--connection-timeout[close quiet connections]:time span:'
		'--keepalive[probe quiet connections]:time span:'
		'--drain-timeout[how long open connections may go on at a stop]:time span:'
		'--proxy-protocol[tell the server the address of the client]:version:(v1 v2)'
		'--transparent[connect from the address of the client]'
		'--workers[number of threads that relay]:number:'
		'--socket-mode[mode of Unix sockets to listen on]:mode:'
		'--socket-group[group of Unix sockets to listen on]:group:_groups'
		'--user[the user to notify]:user:_users'
		'--no-notifications[notify nobody]'
		'--no-selinux[leave SELinux port labels alone]'
	)

	_arguments -C '1:command:->command' '*::argument:->argument' && return
	if [[ $state == command ]]; then
		_describe 'command' verbs
		return
	fi
	case $words[1] in
	rm) words[1]=remove ;;
	ls | ps) words[1]=list ;;
	esac
	case $words[1] in
	create)
		_arguments $scope $changeable \
			'--name[the name of the instance and its units]:name:' \
			'--container-name[an existing container]:container:_sockwake_containers' \
			'--listen-port[the port to listen on, on all addresses]:port:' \
			'--container-port[the port of the server in the container]:port:' \
			'--unit[the unit that runs the container]:unit:_sockwake_units' \
			'--backend[engine]:engine:(docker podman)' \
			'--engine-socket[the socket of the engine]:socket:_files' \
			'--image[make the container first]:image:_sockwake_images' \
			'*'{-e,--env}'[a variable of the container]:NAME=VALUE:' \
			'*'{-v,--volume}'[a directory or volume in the container]:SOURCE\:DIR:' \
			'--drop-volumes[do without volumes of the container that is replaced]' \
			'--network[the network of the container]:network:_sockwake_networks' \
			'--force[replace the instance of that name]' \
			'--dry-run[print the units and do nothing else]' \
			'--json[print JSON]' \
			'::name:_sockwake_containers'
		;;
	set)
		_arguments $scope $names $changeable \
			'*--unset[back to the default]:option:(target no-boot drop-publish with with-project startup-timeout idle-timeout warm-for schedule health-check idle-action keep-running ignore-from no-wake-from no-hold-from hold connection-timeout flow-timeout keepalive drain-timeout proxy-protocol transparent workers socket-mode socket-group user no-notifications no-selinux)' \
			'--all[all instances]'
		;;
	adopt)
		_arguments $scope '--all[all containers]' '--prune[first remove instances whose container is gone]' \
			'--dry-run[print what would be done]' '--backend[engine]:engine:(docker podman)' \
			'--engine-socket[the socket of the engine]:socket:_files' '::container:_sockwake_containers'
		;;
	remove) _arguments $scope $names '--all[all instances]' '--with-container[also remove the container that create --image made]' '--no-selinux[leave SELinux port labels alone]' ;;
	list) _arguments $scope '--json[print JSON]' ;;
	status) _arguments $scope $names '--json[print JSON]' ;;
	wake) _arguments $scope $names '--all[all instances]' '--for[hold it awake for this time]:time span:' ;;
	sleep) _arguments $scope $names '--all[all instances]' ;;
	refresh) _arguments $scope $names '--all[all instances]' '--accept-volumes[accept their volumes as they are now]' ;;
	attend) _arguments $scope ;;
	router) _arguments '--json[print JSON]' '1:action:(enable disable status)' ;;
	logs) _arguments $scope $name '(-f --follow)'{-f,--follow}'[follow the output]' '(-n --lines)'{-n,--lines}'[only this many of the last lines]:lines:' ;;
	help) _describe 'command' verbs ;;
	esac
}

_sockwake "$@"
