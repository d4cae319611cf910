# Completion of sockwake(1) for fish.

function __sockwake_instances
    # without those that the command line names already
    set -l words (commandline -opc)
    for name in (sockwake list --json 2>/dev/null | sed -n 's/^\t\t"name":\t"\(.*\)",*$/\1/p')
        contains -- $name $words; or echo $name
    end
end

function __sockwake_engine
    set -l backend podman
    test (id -u) -eq 0; and set backend docker
    set -l words (commandline -opc)
    if set -l at (contains -i -- --backend $words)
        set backend $words[(math $at + 1)]
    end
    command -q $backend; and $backend $argv 2>/dev/null
end

function __sockwake_containers
    __sockwake_engine ps --all --format '{{.Names}}' | grep -v '^sockwake-.*-keep$'
end

function __sockwake_units
    set -l scope --user
    test (id -u) -eq 0; and set scope --system
    systemctl $scope list-units --all --type=service --plain --no-legend 2>/dev/null | string replace -r ' .*' ''
end

set -l commands create set adopt remove rm list ls ps status wake sleep refresh attend router logs version help
set -l named set remove rm status wake sleep refresh logs
complete -c sockwake -f
complete -c sockwake -n "not __fish_seen_subcommand_from $commands" -a create -d 'Make a container wake on the first connection'
complete -c sockwake -n "not __fish_seen_subcommand_from $commands" -a set -d 'Change options of an instance'
complete -c sockwake -n "not __fish_seen_subcommand_from $commands" -a adopt -d 'Create instances from the labels of containers'
complete -c sockwake -n "not __fish_seen_subcommand_from $commands" -a remove -d 'Remove an instance, or all'
complete -c sockwake -n "not __fish_seen_subcommand_from $commands" -a list -d 'List the instances'
complete -c sockwake -n "not __fish_seen_subcommand_from $commands" -a status -d 'Show details of an instance'
complete -c sockwake -n "not __fish_seen_subcommand_from $commands" -a wake -d 'Wake an instance'
complete -c sockwake -n "not __fish_seen_subcommand_from $commands" -a sleep -d 'Put an instance to sleep'
complete -c sockwake -n "not __fish_seen_subcommand_from $commands" -a refresh -d 'Render the units of instances again'
complete -c sockwake -n "not __fish_seen_subcommand_from $commands" -a attend -d 'Start the idle clocks of running containers whose instances sleep'
complete -c sockwake -n "not __fish_seen_subcommand_from $commands" -a router -d 'Give /run/docker.sock to the router, or back'
complete -c sockwake -n "not __fish_seen_subcommand_from $commands" -a logs -d 'Show the output of the container'
complete -c sockwake -n "not __fish_seen_subcommand_from $commands" -a version -d 'Show the version'
complete -c sockwake -n "not __fish_seen_subcommand_from $commands" -a help -d 'Show how to use sockwake'
complete -c sockwake -n '__fish_seen_subcommand_from help' -a "$commands"

complete -c sockwake -n '__fish_seen_subcommand_from router; and not __fish_seen_subcommand_from enable disable' -a 'enable disable status'
complete -c sockwake -n '__fish_seen_subcommand_from create set adopt remove rm list ls ps status wake sleep refresh attend logs' -l scope -x -a 'system user' -d 'System or user instances'
complete -c sockwake -n "__fish_seen_subcommand_from $named; and not __fish_seen_subcommand_from router" -a '(__sockwake_instances)'
complete -c sockwake -n "__fish_seen_subcommand_from $named" -l name -x -a '(__sockwake_instances)' -d 'Instance'
complete -c sockwake -n '__fish_seen_subcommand_from create list ls ps status router' -l json -d 'Print JSON'
complete -c sockwake -n '__fish_seen_subcommand_from create set remove rm' -l no-selinux -d 'Leave SELinux port labels alone'
complete -c sockwake -n '__fish_seen_subcommand_from set remove rm wake sleep refresh' -l all -d 'All instances'
complete -c sockwake -n '__fish_seen_subcommand_from refresh' -l accept-volumes -d 'Accept their volumes as they are now'
complete -c sockwake -n '__fish_seen_subcommand_from wake' -l for -x -a '30min 2h 8h' -d 'Hold it awake for this time'
complete -c sockwake -n '__fish_seen_subcommand_from logs' -s f -l follow -d 'Follow the output as long as the container runs'
complete -c sockwake -n '__fish_seen_subcommand_from logs' -s n -l lines -x -d 'Only this many of the last lines'

complete -c sockwake -n '__fish_seen_subcommand_from remove rm' -l with-container -d 'Also remove the container that create --image made'
complete -c sockwake -n '__fish_seen_subcommand_from adopt' -a '(__sockwake_containers)'
complete -c sockwake -n '__fish_seen_subcommand_from adopt' -l all -d 'All containers'
complete -c sockwake -n '__fish_seen_subcommand_from adopt' -l prune -d 'First remove instances whose container is gone'
complete -c sockwake -n '__fish_seen_subcommand_from adopt' -l dry-run -d 'Print what would be done'
complete -c sockwake -n '__fish_seen_subcommand_from adopt' -l backend -x -a 'docker podman' -d 'Engine'
complete -c sockwake -n '__fish_seen_subcommand_from adopt' -l engine-socket -r -F -d 'The socket of the engine'

set -l create '__fish_seen_subcommand_from create'
set -l options '__fish_seen_subcommand_from create set'
complete -c sockwake -n $create -a '(__sockwake_containers)'
complete -c sockwake -n $create -l name -x -d 'The name of the instance and its units'
complete -c sockwake -n $create -l container-name -x -a '(__sockwake_containers)' -d 'An existing container'
complete -c sockwake -n $create -l listen-port -x -d 'The port to listen on, on all addresses'
complete -c sockwake -n $create -l container-port -x -d 'The port of the server in the container'
complete -c sockwake -n $options -s p -l publish -x -d '[ADDR:]PORT:CPORT[/tcp|/udp] or /PATH:CPORT'
complete -c sockwake -n $options -l target -x -d 'Where to connect in the container'
complete -c sockwake -n $create -l unit -x -a '(__sockwake_units)' -d 'The unit that runs the container'
complete -c sockwake -n $options -l no-boot -d 'Keep a Quadlet from starting at boot'
complete -c sockwake -n $options -l drop-publish -d 'Keep a Quadlet from publishing these ports'
complete -c sockwake -n $options -l with -x -a '(__sockwake_containers)' -d 'Wake this dependency first'
complete -c sockwake -n $options -l with-project -d 'Wake its dependencies in its project first'
complete -c sockwake -n $create -l backend -x -a 'docker podman' -d 'Engine'
complete -c sockwake -n $create -l engine-socket -r -F -d 'The socket of the engine'
complete -c sockwake -n $options -l startup-timeout -x -a '30s 1min' -d 'How long clients wait for a start'
complete -c sockwake -n $options -l idle-timeout -x -a '1min 15min 1h' -d 'Time without a connection before sleep'
complete -c sockwake -n $options -l warm-for -x -a '15min 30min 1h' -d 'Idle time-out after a busy period'
complete -c sockwake -n $options -l schedule -x -d 'Keep it warm at these times: [DAYS] HH:MM-HH:MM'
complete -c sockwake -n $options -l health-check -x -a 'listen postgres redis greeting http healthy none' -d 'How to check that the server is ready'
complete -c sockwake -n $options -l idle-action -x -a 'stop pause' -d 'How to sleep'
complete -c sockwake -n $options -l keep-running -d 'Leave a container running if it ran before'
complete -c sockwake -n $options -l no-wake-from -x -d 'These clients do not wake it'
complete -c sockwake -n $options -l no-hold-from -x -d 'These clients do not keep it awake'
complete -c sockwake -n $options -l ignore-from -x -d 'These clients neither wake it nor keep it awake'
complete -c sockwake -n $options -l hold -x -a 'connections data' -d 'What keeps it awake'
complete -c sockwake -n $options -l flow-timeout -x -d 'How long to pass on late UDP answers'
complete -c sockwake -n $options -l connection-timeout -x -d 'Close quiet connections'
complete -c sockwake -n $options -l keepalive -x -d 'Probe quiet connections'
complete -c sockwake -n $options -l drain-timeout -x -d 'How long open connections may go on at a stop'
complete -c sockwake -n $options -l proxy-protocol -x -a 'v1 v2' -d 'Tell the server the address of the client'
complete -c sockwake -n $options -l transparent -d 'Connect from the address of the client'
complete -c sockwake -n $options -l workers -x -d 'Number of threads that relay'
complete -c sockwake -n $create -l image -x -a '(__sockwake_engine images --format "{{.Repository}}:{{.Tag}}")' -d 'Make the container first'
complete -c sockwake -n $create -s e -l env -x -d 'A variable of the container'
complete -c sockwake -n $create -s v -l volume -r -d 'SOURCE:DIR[:OPTIONS]'
complete -c sockwake -n $create -l drop-volumes -d 'Do without volumes of the container that is replaced'
complete -c sockwake -n $create -l network -x -a 'none host (__sockwake_engine network ls --format "{{.Name}}")' -d 'The network of the container'
complete -c sockwake -n $options -l socket-mode -x -d 'Mode of Unix sockets to listen on'
complete -c sockwake -n $options -l socket-group -x -a '(__fish_complete_groups)' -d 'Group of Unix sockets to listen on'
complete -c sockwake -n $options -l user -x -a '(__fish_complete_users)' -d 'The user to notify'
complete -c sockwake -n $options -l no-notifications -d 'Notify nobody'
complete -c sockwake -n $create -l force -d 'Replace the instance of that name'
complete -c sockwake -n $create -l dry-run -d 'Print the units and do nothing else'
complete -c sockwake -n '__fish_seen_subcommand_from set' -l unset -x -a 'target no-boot drop-publish with with-project startup-timeout idle-timeout warm-for schedule health-check idle-action keep-running ignore-from no-wake-from no-hold-from hold connection-timeout flow-timeout keepalive drain-timeout proxy-protocol transparent workers socket-mode socket-group user no-notifications no-selinux' -d 'Back to the default'
