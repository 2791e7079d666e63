import Compute

FinetuneTool.start()
