//! Time from start to ready: on an empty folder, on an existing one, and with the database already running.

use super::{
    ground::Ground,
    program::Program,
    report::{Goal, Report},
    rounds::{Rounds, ms},
};

const ROUNDS: usize = 3;

pub async fn measure(report: &mut Report) -> anyhow::Result<()> {
    let (mut first, mut later, mut up) = (Rounds::default(), Rounds::default(), Rounds::default());
    for _ in 0..ROUNDS {
        let folder = tempfile::tempdir()?;
        for rounds in [&mut first, &mut later] {
            let program = Program::start(folder.path(), &[]).await?;
            rounds.add(ms(program.took));
            program.stop()?;
        }
        // A second user of the cluster keeps it running.
        let ground = Ground::in_folder(folder).await?;
        for _ in 0..2 {
            let program = Program::start(ground.folder(), &[]).await?;
            up.add(ms(program.took));
            program.stop()?;
        }
        ground.close().await?;
    }
    report.figure("start to ready, private database, first time", "ms", &first, Goal::AtMost(5_000.0));
    report.figure("start to ready, private database, later", "ms", &later, Goal::AtMost(1_500.0));
    report.figure("start to ready, database up", "ms", &up, Goal::AtMost(200.0));
    Ok(())
}
