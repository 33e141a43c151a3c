(* What Why3 does with a goal of WP's for proofs of C: what does not bear on it is left out before anything is made of it, and what is
   left is kept in a file, for our solvers. A module of Why3, which WP runs inside Frama-C.

   WP puts before each goal all that its library says of memory, numbers and bits: a thousand lines, which take Why3 longer than the goal
   to write and a solver longer than the goal to read, and lead it astray. A goal that follows from some of what is taken for granted
   follows from all of it: so what is kept is the goal, the definitions of what it speaks of, and what is said of those alone.

   Environment: MRG_GOALS, the folder of the files 1.smt2, 2.smt2, ...; MRG_WHOLE: nothing is left out. *)

open Why3

type role =
  | Goal
  | Defines of Ident.Sid.t
  | Says

let stem name suffix =
  let rest = String.length name - String.length suffix in
  if rest > 0 && String.sub name rest (String.length suffix) = suffix then Some (String.sub name 0 rest) else None

(* X_def and X'def are axioms that define X. *)
let defined name =
  match stem name "_def" with
  | None -> stem name "'def"
  | some -> some

let role uses d =
  match d.Decl.d_node with
  | Decl.Dprop (Decl.Pgoal, _, _) -> Goal
  | Decl.Dprop (_, p, _) -> (
      let named = defined p.Decl.pr_name.Ident.id_string in
      let it = Ident.Sid.filter (fun id -> named = Some id.Ident.id_string) uses in
      if Ident.Sid.is_empty it then Says else Defines it)
  | _ -> Defines d.Decl.d_news

(* What WP's library says is the same before all goals. *)
let uses =
  let known = Decl.Hdecl.create 4096 in
  fun d ->
    match Decl.Hdecl.find_opt known d with
    | Some uses -> uses
    | None ->
        let uses = Decl.get_decl_syms d in
        Decl.Hdecl.add known d uses;
        uses

let types_of d =
  match d.Decl.d_node with
  | Decl.Dtype t -> [ t.Ty.ts_name ]
  | Decl.Ddata l -> List.map (fun (t, _) -> t.Ty.ts_name) l
  | _ -> []

(* A declaration with the words of it that are not the language's own. *)
type row = {
  decl : Decl.decl;
  role : role;
  uses : Ident.Sid.t;
  words : Ident.Sid.t;
}

(* What is defined by arithmetic alone, such as that a number is of 32 bits: who speaks of what is known may speak of it, too. *)
let rec arithmetic known rows =
  let add known row =
    match (row.role, row.decl.Decl.d_node) with
    | Defines ids, (Decl.Dlogic _ | Decl.Dprop _) when Ident.Sid.subset (Ident.Sid.diff row.words known) ids -> Ident.Sid.union known ids
    | _ -> known
  in
  let more = List.fold_left add known rows in
  if Ident.Sid.equal more known then known else arithmetic more rows

(* There are only axioms of division, no definition; and what is said of bits is that they are what a division leaves. *)
let division id = List.mem id.Ident.id_string [ "div"; "mod" ]

(* The declarations that bear on the goal: each pass adds those that what is known by now calls for. *)
let rec bearing plain known kept rest =
  let wanted row =
    match row.role with
    | Goal -> true
    | Defines ids -> not (Ident.Sid.disjoint ids known)
    | Says -> (not (Ident.Sid.disjoint row.words known)) && Ident.Sid.subset (Ident.Sid.diff row.words plain) known
  in
  match List.partition wanted rest with
  | [], _ -> kept
  | now, rest ->
      let known = List.fold_left (fun known row -> Ident.Sid.union known row.uses) known now in
      let kept = List.fold_left (fun kept row -> Decl.Sdecl.add row.decl kept) kept now in
      bearing plain known kept rest

(* What is said to the printer of something that is left out goes with it. *)
let speaks_of_known task = function
  | Theory.MAts t -> Ident.Mid.mem t.Ty.ts_name (Task.task_known task)
  | Theory.MAty t -> Ty.ty_s_all (fun t -> Ident.Mid.mem t.Ty.ts_name (Task.task_known task)) t
  | Theory.MAls s -> Ident.Mid.mem s.Term.ls_name (Task.task_known task)
  | Theory.MApr p -> Ident.Mid.mem p.Decl.pr_name (Task.task_known task)
  | _ -> true

let needed task =
  let built_in = Printer.get_syntax_map task in
  let decls = Task.task_decls task in
  let types = Ident.Sid.of_list (List.concat_map types_of decls) in
  let row decl =
    let uses = uses decl in
    let word id = not (Ident.Sid.mem id types || Ident.Mid.mem id built_in) in
    { decl; role = role uses decl; uses; words = Ident.Sid.filter word uses }
  in
  let rows = List.map row decls in
  let words = List.fold_left (fun all row -> Ident.Sid.union all row.words) Ident.Sid.empty rows in
  let plain = arithmetic (Ident.Sid.filter division words) rows in
  let kept = bearing plain Ident.Sid.empty Decl.Sdecl.empty rows in
  let add task td =
    let stays =
      match td.Theory.td_node with
      | Theory.Decl d -> Decl.Sdecl.mem d kept
      | Theory.Meta (_, args) -> List.for_all (speaks_of_known task) args
      | _ -> true
    in
    if stays then Task.add_tdecl task td else task
  in
  List.fold_left add None (Task.task_tdecls task)

let () =
  let shorten = if Sys.getenv_opt "MRG_WHOLE" = None then needed else Fun.id in
  Trans.register_transform ~desc:"Leave@ out@ what@ does@ not@ bear@ on@ the@ goal." "mrg_needed" (Trans.store shorten)

(* WP tells of it where it would tell of a solver's answer: by that we know of which goal a file is. *)
exception Kept of int

let number = ref 0

let keep folder args ?old:_ _ task =
  incr number;
  let file = open_out (Filename.concat folder (Printf.sprintf "%d.smt2" !number)) in
  let form = Format.formatter_of_out_channel file in
  Format.pp_set_geometry form ~max_indent:1_000_000 ~margin:1_000_001;
  Printer.lookup_printer "smtv2" args form task;
  Format.pp_print_flush form ();
  close_out file;
  raise (Kept !number)

let () =
  match Sys.getenv_opt "MRG_GOALS" with
  | None -> ()
  | Some folder -> Printer.register_printer ~desc:"Keep@ goals@ in@ files." "mrg_keep" (keep folder)
