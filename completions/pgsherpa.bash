# Completion of pgsherpa(1) for bash. A test compares it with `pgsherpa help VERB`, both ways:
# tests/unit/app/completion.py.

_pgsherpa_options() {
        case $1 in
        run) echo "--var --answer --secret --plain --json --yes --detach" ;;
        plan) echo "--var --json" ;;
        attach) echo "--watch --plain --json --yes" ;;
        resume) echo "--secret" ;;
        rollback) echo "--to --secret --plain --json --detach" ;;
        log) echo "--format" ;;
        backup)
                echo "--from --from-password-file --db --all --root --name --dump --no-globals" \
                        "--file --keep-env --json --quiet --restore --into --into-password-file" \
                        "--dir --member --schema --table --schema-sql --plain --database --out --keep-last" \
                        "--keep-days --dry-run --yes --run --portable --jobs"
                ;;
        restore)
                echo "--to --to-password-file --database --all --schema --table --jobs --json --quiet"
                ;;
        copy)
                echo "--from --from-password-file --to --to-password-file --roles --no-proof" \
                        "--backup --portable --extension-rows --jobs --check --deep --json --quiet"
                ;;
        compare)
                echo "--from --from-password-file --to --to-password-file --database --deep" \
                        "--schema --table --ignore --no-scratch --jobs --json --format --quiet"
                ;;
        esac
}

# Names of runs, newest first, and the word for the newest.
_pgsherpa_runs() {
        echo latest
        "$1" runs 2>/dev/null | awk '$1 ~ /^p[0-9]+$/ { print $1 }'
}

_pgsherpa_words() {             # program, verb, how many words stand before this one, the last
        case $2.$3 in
        run.0 | plan.0 | lint.0) echo "compose-upgrade local-upgrade make-room discover" ;;
        explain.0) "$1" explain 2>/dev/null | awk '{ print $1 }' ;;
        status.0 | attach.0 | resume.0 | rollback.0 | log.0 | ctl.0) _pgsherpa_runs "$1" ;;
        ctl.1) echo "status pause continue answer tick untick jobs tail abort" ;;
        ctl.2) [ "$4" = abort ] && _pgsherpa_runs "$1" ;;
        journal.0) echo verify ;;
        journal.1) _pgsherpa_runs "$1" ;;
        backup.0) echo "create list show verify restore extract prune lock unlock" ;;
        help.0) _pgsherpa_verbs ;;
        esac
}

_pgsherpa_verbs() {
        echo "run plan lint explain runs status attach resume rollback ctl log journal backup" \
                "restore copy compare"
}

_pgsherpa() {
        local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
        local verb=${COMP_WORDS[1]} i before=0
        COMPREPLY=()
        if [ "$COMP_CWORD" -eq 1 ]; then
                mapfile -t COMPREPLY < <(compgen -W "$(_pgsherpa_verbs) help" -- "$cur")
                return
        fi
        case $prev in
        --*-password-file | --file | --out) mapfile -t COMPREPLY < <(compgen -f -- "$cur") && return ;;
        --root | --dir) mapfile -t COMPREPLY < <(compgen -d -- "$cur") && return ;;
        --from | --to | --into)
                if [ "$verb" != rollback ]; then
                        compopt -o nospace 2>/dev/null
                        mapfile -t COMPREPLY < <(compgen -W "host= port= user= db=" -- "$cur")
                        return
                fi
                ;;
        --format)
                local formats="md json txt"
                [ "$verb" = log ] && formats="$formats lines"
                mapfile -t COMPREPLY < <(compgen -W "$formats" -- "$cur")
                return
                ;;
        esac
        if [[ $cur == -* ]]; then
                mapfile -t COMPREPLY < <(compgen -W "$(_pgsherpa_options "$verb")" -- "$cur")
                return
        fi
        for ((i = 2; i < COMP_CWORD; i++)); do
                [[ ${COMP_WORDS[i]} == -* ]] || before=$((before + 1))
        done
        mapfile -t COMPREPLY < <(compgen -W "$(_pgsherpa_words "$1" "$verb" "$before" "$prev")" -- "$cur")
        # A runbook, a bundle: files, too.
        case $verb.$before in
        run.0 | plan.0 | lint.* | restore.0 | backup.1)
                mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -f -- "$cur")
                ;;
        esac
}

complete -o filenames -F _pgsherpa pgsherpa
