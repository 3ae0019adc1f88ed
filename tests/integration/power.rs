//! Power cuts: the store is on an ext4 of its own that is shut down without flushing its log, under load.
//!
//! Needs root for the loop mount. `make chaos` sets FLEETSCOPE_POWER_CUTS.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::tempdir;

use crate::crash::{Campaign, Load, random, setting};
use crate::peers::python;

/// So many cuts to one store: the judge keeps all that its witness has sent in memory.
const CUTS_PER_STORE: u64 = 40;

/// An ext4 in a file.
struct Disk {
    image: PathBuf,
    mounted: PathBuf,
}

fn run(program: &str, arguments: &[&str]) {
    let output = Command::new(program).args(arguments).output().unwrap_or_else(|e| panic!("{program}: {e}"));
    assert!(output.status.success(), "{program} {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

impl Disk {
    fn new(folder: &Path) -> Self {
        let disk = Disk { image: folder.join("image"), mounted: folder.join("disk") };
        std::fs::create_dir(&disk.mounted).unwrap();
        std::fs::File::create(&disk.image).unwrap().set_len(1 << 30).unwrap();
        run("/sbin/mkfs.ext4", &["-q", disk.image.to_str().unwrap()]);
        disk.mount();
        disk
    }

    fn mount(&self) {
        run("mount", &["-o", "loop", self.image.to_str().unwrap(), self.mounted.to_str().unwrap()]);
    }

    fn unmount(&self) {
        run("umount", &[self.mounted.to_str().unwrap()]);
    }

    /// From now on nothing reaches the disk any more, and what was not synced never will. Returns how long the witness'
    /// log was at that instant.
    fn cut_power(&self, log: &Path) -> u64 {
        let length = python("cut_power.py", &[self.mounted.to_str().unwrap(), log.to_str().unwrap()]);
        length.trim().parse().unwrap()
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.mounted).output();
    }
}

#[tokio::test]
async fn crash_by_power_cuts_loses_and_doubles_nothing() {
    assert!(rustix::process::geteuid().is_root(), "power cuts need root for a loop mount, run the tests as root");
    let mut random = random();
    let (wanted, mut cuts, mut acknowledged) = (setting("FLEETSCOPE_POWER_CUTS", 5), 0, 0);
    while cuts < wanted {
        let folder = tempdir().unwrap();
        let disk = Disk::new(folder.path());
        let campaign = Campaign::start_on(tempdir().unwrap(), disk.mounted.clone(), Load::New, random.next());
        for _ in 0..CUTS_PER_STORE.min(wanted - cuts) {
            let server = campaign.server("").await.unwrap_or_else(|stderr| panic!("ended by itself: {stderr}"));
            campaign.load_of(random.between(200_000, 1_500_000)).await;
            let cut = disk.cut_power(&campaign.log());
            server.kill().await;
            campaign.note_cut(cut);
            disk.unmount();
            disk.mount();
            cuts += 1;
        }
        let verdict = campaign.end_and_judge().await;
        assert_eq!(verdict["physical_rows"], verdict["stored"], "{verdict}");
        acknowledged += verdict["acknowledged"].as_u64().unwrap();
    }
    println!("chaos: {cuts} power cuts, {acknowledged} acknowledged rows, none lost, none doubled");
}
