(* Frama-C gets along with WP's goals sooner with a heap that is tidied up a quarter as often, if it does not note at each exception where it
   has come from, and if it does not sleep for a twentieth of a second before each goal, as if it were to wait for a solver. *)

let () = Gc.set { (Gc.get ()) with Gc.minor_heap_size = 1_048_576; space_overhead = 400 }
let () = Printexc.record_backtrace false
let () = Task.on_idle := fun more -> while more () do () done
