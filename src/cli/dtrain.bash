# Completion of dtrain's command lines in bash 4 and later. The program itself is asked for its commands,
# options and choices; where there is nothing to choose from, bash completes file names.

_dtrain() {
    local program=${1/#\~/$HOME} word=$2 previous=$3 command="" line option="" i
    local -a commands=()
    COMPREPLY=()

    # --name=value is three words of COMP_WORDS, and the last of them may be the = itself.
    if [[ $previous == = ]] && ((COMP_CWORD > 1)); then
        previous=${COMP_WORDS[COMP_CWORD - 2]}
    elif [[ $word == = || ${COMP_WORDS[COMP_CWORD]} == = ]]; then
        word=""
    fi

    # The commands stand above the usage of the one that needs no name.
    while read -r line; do
        [[ $line != Usage:* ]] || break
        commands+=("$line")
    done <<<"$("$program" --help 2>/dev/null | sed -n '/^Usage:/p; s/^  \([a-z][a-z-]*\) .*/\1/p')"
    for i in "${commands[@]}"; do
        if ((COMP_CWORD > 1)) && [[ $i == "${COMP_WORDS[1]}" ]]; then
            command=$i
        fi
    done

    # As in "  --activation NAME   of the hidden layers (relu|tanh) [relu]".
    local -a names=(--help)
    [[ -n $command ]] || names+=(--version)
    while read -r line; do
        names+=("${line%% *}")
        [[ ${line%% *} != "$previous" ]] || option=$line
    done <<<"$({ # a search takes the options of its trials, too
        "$program" ${command:+"$command"} --help
        [[ $command != search ]] || "$program" train --help
    } 2>/dev/null | awk '
        /^  --/ { if (option) print option; option = substr($0, 3); next }
        /^          / && option { # what was wrapped, by a blank or behind a bar
            sub(/^ +/, option ~ /\|$/ ? "" : " "); option = option $0; next }
        END { if (option) print option }')"

    # shellcheck disable=SC2207 # none of these words has a blank in it
    if [[ $option =~ ^--[a-z0-9-]+\ [A-Z] ]]; then
        if [[ $option =~ \(([^\ \(\)]+\|[^\ \(\)]+)\)(\ \[[^\ ]*\])?$ ]]; then
            COMPREPLY=($(compgen -W "${BASH_REMATCH[1]//|/ }" -- "$word"))
        fi
        # A number or the name of an array or column is no file.
        if [[ $option =~ ^--[a-z0-9-]+\ (N|F|NAME|LIST|COLUMNS?)\  ]]; then
            compopt +o default +o bashdefault 2>/dev/null
        fi
    elif [[ $word == -* ]]; then
        COMPREPLY=($(compgen -W "${names[*]}" -- "$word"))
    elif ((COMP_CWORD == 1)); then
        COMPREPLY=($(compgen -W "${commands[*]}" -- "$word"))
    fi
}
complete -o bashdefault -o default -F _dtrain dtrain
